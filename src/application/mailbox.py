"""A way onto an event loop from other threads, at little cost where much goes it."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context

Letter = Callable[[], object]


class Mailbox:
    """Has functions called on an event loop, in their order; those of one moment wake it once.

    They run in an empty context: that of the poster would keep its session alive.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._letters: list[Letter] = []

    def post(self, letter: Letter) -> None:
        """Have a function called; from any thread, never waits. A closed loop calls nothing."""
        with self._lock:
            first = not self._letters
            self._letters.append(letter)
        if first:
            with suppress(RuntimeError):  # the loop has been closed
                # Opened a turn of the loop later: the poster, who had to let go of the interpreter
                # to wake the loop, goes on meanwhile, and what he posts wakes it no more.
                self._loop.call_soon_threadsafe(self._loop.call_soon, self._open, context=Context())

    def _open(self) -> None:
        with self._lock:
            letters, self._letters = self._letters, []
        for letter in letters:
            self._loop.call_soon(letter)  # so that one that fails does not take the others with it
