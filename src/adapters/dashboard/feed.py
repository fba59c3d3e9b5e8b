"""The feed: one look at the sessions at a time, shared by all viewers of the process."""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from ...application.operator_ports import Operator, OperatorError
from ...application.ports import Clock
from ...domain.staleness import Observation
from .rows import Columns, columns

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The sessions as last seen; with a `problem`, the server could not be asked at `looked_at`.

    Times are those of the dashboard's own clock.
    """

    sessions: tuple[Observation, ...] = ()
    seen_at: datetime | None = None
    looked_at: datetime | None = None
    problem: str | None = None

    @property
    def age(self) -> float | None:
        """How old the sessions shown are, in seconds; None where there never were any."""
        if self.seen_at is None or self.looked_at is None:
            return None
        return (self.looked_at - self.seen_at).total_seconds()

    @cached_property
    def columns(self) -> Columns:
        """The table of the sessions, made once for all viewers."""
        return columns(self.sessions)


@dataclass(kw_only=True)
class Feed:
    """Asks the operator's port again and again while anybody watches."""

    operator: Operator
    clock: Clock
    refresh_every: float
    patience: float
    snapshot: Snapshot = field(default_factory=Snapshot)
    _viewers: list[Callable[[], None]] = field(default_factory=list)
    _asking: asyncio.Task[None] | None = None
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)

    def watch(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Call `tell` whenever there is a new snapshot; return what ends that.

        Must be called where an event loop runs.
        """
        self._viewers.append(tell)
        if self._asking is None:
            # A context of its own: else the task would belong to the first viewer's session.
            self._asking = asyncio.get_running_loop().create_task(
                self._ask(), context=contextvars.Context()
            )

        def leave() -> None:
            if tell in self._viewers:
                self._viewers.remove(tell)
            if self._asking and not self._viewers:
                self._asking.cancel()
                self._asking = None

        return leave

    def hurry(self) -> None:
        """Look again at once: something was just ordered."""
        self._hurry.set()

    async def _ask(self) -> None:
        while True:
            self._hurry.clear()
            await self._look()
            for tell in tuple(self._viewers):
                tell()
            try:
                async with asyncio.timeout(self.refresh_every):
                    await self._hurry.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        """Take a new snapshot; a failure keeps the last sessions and says what is the matter."""
        try:
            async with asyncio.timeout(self.patience):
                sessions = tuple(await self.operator.sessions())
        except OperatorError as error:
            self._failed(str(error))
        except TimeoutError:
            self._failed(f"no answer within {self.patience:.0f} seconds")
        except Exception:
            log.exception("The sessions could not be read")
            self._failed("an unexpected error; the dashboard's log has the details")
        else:
            now = self.clock.now()
            self.snapshot = Snapshot(sessions=sessions, seen_at=now, looked_at=now)

    def _failed(self, problem: str) -> None:
        self.snapshot = replace(self.snapshot, looked_at=self.clock.now(), problem=problem)
