"""A session's web framework that only remembers what it was told."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from panel_session_monitor.application.draining import DrainNotice
from panel_session_monitor.domain.report import Notice


@dataclass(frozen=True, slots=True)
class RecordingHost:
    """Keeps what it was told to show and why to end; coroutines run in a loop of their own.

    has_loop   whether the session has an event loop that answers
    pings      what it has yet to answer
    released   as often as it was told that the app's code is needed no more
    """

    ended_for: list[str] = field(default_factory=list)
    ended_by: list[str | None] = field(default_factory=list)
    messages: list[tuple[Notice, Callable[[], None]]] = field(default_factory=list)
    drains: list[DrainNotice | None] = field(default_factory=list)
    failure: Exception | None = None
    has_loop: bool = False
    pings: list[Callable[[], None]] = field(default_factory=list)
    released: list[None] = field(default_factory=list)

    def show(self, message: Notice, shown: Callable[[], None]) -> None:
        """Keep the message: whether the page gets it is for the test."""
        self.messages.append((message, shown))
        if self.failure:
            raise self.failure

    def drained(self, notice: DrainNotice | None) -> None:
        """Note the drain."""
        self.drains.append(notice)
        if self.failure:
            raise self.failure

    def end(self, reason: str, by: str | None = None) -> None:
        """Note the end, or fail with `failure`."""
        self.ended_for.append(reason)
        self.ended_by.append(by)
        if self.failure:
            raise self.failure

    def run(self, work: Coroutine[Any, Any, object]) -> Callable[[float], None]:
        """Run `work` in a thread of its own; return what waits for it."""
        thread = ThreadPoolExecutor(max_workers=1)
        running = thread.submit(asyncio.run, work)
        thread.shutdown(wait=False)

        def wait(seconds: float) -> None:
            running.result(seconds)

        return wait

    def ping(self, pong: Callable[[], None]) -> bool:
        """Keep what is to be called, if there is a loop: whether it comes round is for the test."""
        if self.has_loop:
            self.pings.append(pong)
        return self.has_loop

    def release(self) -> None:
        """Note that it was told."""
        self.released.append(None)
