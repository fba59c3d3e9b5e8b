"""A worker's side of the pool: its line to the pool's process, and one call as it runs there."""

import asyncio
import ctypes
import os
import pickle
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ...application.mailbox import Mailbox
from .. import parcels
from ..stop import COURTESY, Signal, is_coroutine_function

SIZE = struct.Struct("!Q")
"""What stands before each packet: its length."""

PR_SET_PDEATHSIG = 1
"""Linux's prctl(2): the signal to get when the thread that started this process ends."""


def packet(messages: list[tuple[object, ...]]) -> bytes:
    """Return messages as they travel, all in one."""
    body = pickle.dumps(messages)
    return SIZE.pack(len(body)) + body


class Line:
    """A worker's end of a socket, by which calls and orders come, and outcomes go.

    It is listened to in a thread of its own, so that orders come through whatever the worker's
    event loop does. The process ends with its line.
    """

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._signals: dict[int, Signal] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._unsent: list[tuple[object, ...]] = []
        self._sending = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "pool-call")

    def __reduce__(self) -> tuple[type["Line"], tuple[socket.socket]]:
        return Line, (self._socket,)

    async def serve(self) -> None:
        """Run calls as they come, until there will be no more."""
        self._loop = asyncio.get_running_loop()
        self._mailbox = Mailbox(self._loop)
        self._ended = asyncio.Event()
        threading.Thread(target=self._listen, name="pool-line", daemon=True).start()
        self._send(("ready",))
        await self._ended.wait()
        if self._running:
            await asyncio.wait(self._running)
        self._flush()

    def _listen(self) -> None:
        try:
            with self._socket.makefile("rb") as received:
                while header := received.read(SIZE.size):
                    body = received.read(*SIZE.unpack(header))
                    for message in pickle.loads(body):  # noqa: S301  # of a process of our own
                        self._hear(message)
        finally:
            os._exit(1)  # nobody waits for this process any more, nor ends it

    def _hear(self, message: tuple[Any, ...]) -> None:
        match message:
            case "call", number, parcel:
                self._signals[number] = Signal(partial(self._report, number))
                self._mailbox.post(partial(self._begin, number, parcel))
            case "stop", number:
                if known := self._signals.get(number):
                    known.set()
            case ("end",):
                for each in list(self._signals.values()):
                    each.set()
                self._mailbox.post(self._ended.set)

    def _begin(self, number: int, parcel: parcels.Parcel) -> None:
        running = self._loop.create_task(self._run(number, parcel))
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def _run(self, number: int, parcel: parcels.Parcel) -> None:
        """Run a call; it ends with an outcome, come what may, as the worker must live on."""
        try:
            outcome = await self._outcome(self._signals[number], parcel)
        except BaseException as error:  # even SystemExit is but the call's
            outcome = parcels.raised(parcel.name, error)
        del self._signals[number]
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(("done", number, outcome))

    async def _outcome(self, signal: Signal, parcel: parcels.Parcel) -> parcels.Outcome:
        if signal.is_set():
            raise asyncio.CancelledError
        function, args, kwds = parcels.unpacked(parcel)
        called = partial(function, *args, *([signal] if parcel.stoppable else []), **kwds)
        if not is_coroutine_function(function):
            return await self._loop.run_in_executor(self._thread, _outcome, parcel.name, called)
        task = asyncio.current_task()
        assert task
        signal.cancels(task, COURTESY if parcel.stoppable else 0.0)
        return parcels.returned(parcel.name, await called())

    def _report(self, number: int, fraction: float) -> None:
        self._send(("progress", number, fraction))

    def _flush(self) -> None:
        """Send the outcomes of this moment together."""
        unsent, self._unsent = self._unsent, []
        if unsent:
            self._send(*unsent)

    def _send(self, *messages: tuple[object, ...]) -> None:
        sent = packet(list(messages))
        with self._sending:
            self._socket.sendall(sent)


def prepare() -> None:
    """Prepare this process to be a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends us
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    if sys.platform == "linux":  # a line's thread does not run while C code holds the GIL
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _outcome(name: str, function: Callable[[], object]) -> parcels.Outcome:
    """Call a plain function, in a thread; not every error could leave it by a future."""
    try:
        return parcels.returned(name, function())
    except BaseException as error:  # it goes to the caller
        return parcels.raised(name, error)
