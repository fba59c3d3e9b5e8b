"""Coroutines of the app, run on its event loop as long as there is one."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent import futures
from contextvars import Context
from functools import partial
from math import ceil
from typing import Any

LOOK = 0.05
"""Time between two looks whether the event loop still runs, in seconds."""

Work = Coroutine[Any, Any, object]


def start(work: Work, loop: asyncio.AbstractEventLoop | None) -> Callable[[float], None]:
    """Start a coroutine on an event loop; return what waits for it, for so many seconds.

    Where none runs, or on the loop's own thread, it runs on one of its own while it is waited for.
    """
    if loop is None or not loop.is_running() or loop is loop_here():
        return partial(_run_apart, work)
    return _Handed(work, loop).wait


def call(callback: Callable[[], None], loop: asyncio.AbstractEventLoop | None) -> bool:
    """Call back on an event loop, when it comes round; False where none runs."""
    if loop is None or not loop.is_running():
        return False
    try:
        loop.call_soon_threadsafe(callback, context=Context())
    except RuntimeError:  # it has just been closed
        return False
    return True


def loop_here() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class _Handed:
    """A coroutine handed to a loop, and taken back if the loop stops before it has begun."""

    def __init__(self, work: Work, loop: asyncio.AbstractEventLoop) -> None:
        self._work = work
        self._loop = loop
        self._begun = threading.Lock()
        self._done: futures.Future[object] = futures.Future()
        loop.call_soon_threadsafe(self._begin, context=Context())

    def wait(self, timeout: float) -> None:
        """Wait for its end (raises TimeoutError, and what the coroutine raised)."""
        for left in range(ceil(timeout / LOOK), 0, -1):
            if futures.wait([self._done], LOOK).done:
                self._done.result()
                return
            if not self._loop.is_running() and self._begun.acquire(blocking=False):
                _run_apart(self._work, left * LOOK)
                return
        raise TimeoutError

    def _begin(self) -> None:
        if self._begun.acquire(blocking=False):
            self._task = self._loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            self._done.set_result(await self._work)
        except BaseException as error:  # whoever waits gets it
            self._done.set_exception(error)


def _run_apart(work: Work, timeout: float) -> None:
    bounded = asyncio.wait_for(work, timeout)
    if loop_here() is None:
        asyncio.run(bounded)
        return
    with futures.ThreadPoolExecutor(1) as aside:  # a signal handler, which holds up this loop
        aside.submit(asyncio.run, bounded).result()
