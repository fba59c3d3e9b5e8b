"""A task in progress, as the app's code holds it, and one that a kill interrupts."""

import sys
from math import isnan
from types import FrameType, TracebackType
from typing import Any, Self

from .app_ports import Block, Interruptions, SessionKilled
from .tracking import RunningTask, TrackedSession, Tracking


class Task:
    """A task in progress, for `with` and for `async with`.

    An exception passes through unchanged. Setting `progress` reports it, from 0 to 1.
    """

    __slots__ = ("_interruptions", "_name", "_running", "_session", "_tracking")

    def __init__(
        self, tracking: Tracking, session: TrackedSession, name: str, interruptions: Interruptions
    ) -> None:
        self._tracking = tracking
        self._session = session
        self._name = name
        self._interruptions = interruptions
        self._running: list[RunningTask] = []

    @property
    def progress(self) -> float | None:
        """How far the task has come; None while it is not known."""
        return self._running[-1].progress if self._running else None

    @progress.setter
    def progress(self, value: float | None) -> None:
        if self._running:
            done = _fraction(value)
            with self._interruptions.shelter():
                self._tracking.advance(self._session, self._running[-1], done)

    def __enter__(self) -> Self:
        begun = False
        try:
            with self._interruptions.shelter():
                self._running.append(self._tracking.begin(self._session, self._name))
                begun = True
        except SessionKilled:  # it struck as the shelter ended: Python will not call `__exit__`
            if begun:
                self._finish()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._finish()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)

    def _finish(self) -> None:
        with self._interruptions.shelter():
            self._tracking.finish(self._session, self._running.pop())


class InterruptibleTask(Task):
    """A task whose block ends when its session is killed.

    Where the interruption strikes at the first or the last instruction of this code, the task
    stays noted as running: nobody minds, as the session is being ended.
    """

    __slots__ = ("_blocks",)

    def __init__(
        self, tracking: Tracking, session: TrackedSession, name: str, interruptions: Interruptions
    ) -> None:
        super().__init__(tracking, session, name, interruptions)
        self._blocks: list[Block] = []

    def __enter__(self) -> Self:
        return self._enter(sys._getframe(1))  # noqa: SLF001  # who it is decides what is safe

    async def __aenter__(self) -> Self:
        return self._enter(sys._getframe(1))  # noqa: SLF001

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._leave()
        except SessionKilled:
            if error is None:  # else the block is ending already, by an error of its own
                raise
        finally:
            self._finish()

    def _enter(self, caller: FrameType) -> Self:
        super().__enter__()
        try:
            with self._interruptions.shelter():
                block = self._interruptions.block(caller)
                if block:
                    self._blocks.append(block)
                self._session.blocks.enter(block)
            if block:
                block.open()
        except BaseException as error:  # Python calls `__exit__` only after a whole `__enter__`
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def _leave(self) -> None:
        # Several threads may be in the same task: each leaves its own block.
        block = next((each for each in reversed(tuple(self._blocks)) if each.here()), None)
        if block is None:
            return
        try:
            block.leave()
        finally:
            self._blocks.remove(block)
            self._session.blocks.leave(block)


def _fraction(value: Any) -> float | None:
    """Return how far a task has come, from whatever kind of number the app has; None if unclear."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return None if isnan(number) else min(max(number, 0.0), 1.0)
