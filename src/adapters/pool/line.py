"""A worker's side of the pool: its line to the pool's process, and the calls as they run there."""

import asyncio
import ctypes
import inspect
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ...application import parcels
from ...application.mailbox import Mailbox
from ...application.stopping import COURTESY, Signal, is_coroutine_function
from .messages import SIZE, Batch, Message, opened, packet

PR_SET_PDEATHSIG = 1
"""Linux's prctl(2): the signal to get when the thread that started this process ends."""


class Line:
    """A worker's end of a socket, by which calls and orders come, and outcomes go.

    It is listened to in a thread of its own, so that orders come through whatever the worker's
    event loop does. The process ends with its line.
    """

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._signals: dict[int, Signal] = {}
        self._waiting: dict[int, parcels.Parcel] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._outcomes = Batch(self._send)
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
        self._send(packet(("ready",)))
        await self._ended.wait()
        if self._running:
            await asyncio.wait(self._running)
        self._outcomes.flush()

    def _listen(self) -> None:
        try:
            with self._socket.makefile("rb") as received:
                while header := received.read(SIZE.size):
                    self._hear(opened(received.read(*SIZE.unpack(header))))
        finally:
            os._exit(1)  # nobody waits for this process any more, nor ends it

    def _hear(self, messages: tuple[Message, ...]) -> None:
        for message in messages:
            match message:
                case "call", number, *parcel:
                    self._signals[number] = Signal(self._loop, partial(self._report, number))
                    self._waiting[number] = parcels.Parcel(*parcel)
                case "stop", number:
                    if known := self._signals.get(number):
                        known.set()
                case ("leave",):
                    self._give_back()
                    self._mailbox.post(partial(self._send, packet(("leaving",))))
                case ("end",):
                    for each in list(self._signals.values()):
                        each.set()
                    self._mailbox.post(self._ended.set)
        if self._waiting:
            self._mailbox.post(self._begin)

    def _begin(self) -> None:
        """Begin all calls that wait."""
        for number in list(self._waiting):
            if parcel := self._waiting.pop(number, None):  # not given back meanwhile
                running = self._loop.create_task(self._run(number, parcel))
                self._running.add(running)
                running.add_done_callback(self._running.discard)

    def _give_back(self) -> None:
        """Give back what has not begun: something may hold up the event loop for good."""
        for number in list(self._waiting):
            if self._waiting.pop(number, None):
                del self._signals[number]
                self._send(packet(("back", number)))

    async def _run(self, number: int, parcel: parcels.Parcel) -> None:
        """Run a call; it ends with an outcome, come what may, as the worker must live on."""
        try:
            outcome = await self._outcome(self._signals[number], parcel)
        except BaseException as error:  # even SystemExit is but the call's
            outcome = parcels.raised(parcel.name, error)
        del self._signals[number]
        self._outcomes.add("done", number, *outcome)

    async def _outcome(self, signal: Signal, parcel: parcels.Parcel) -> parcels.Outcome:
        if signal.is_set():
            raise asyncio.CancelledError
        function, args, kwds = parcels.unpacked(parcel)
        called = partial(function, *args, *([signal] if parcel.stoppable else []), **kwds)
        if is_coroutine_function(function):
            result = called()
        else:
            result = await self._loop.run_in_executor(self._thread, _called, parcel.name, called)
            if isinstance(result, parcels.Outcome):
                return result
        task = asyncio.current_task()
        assert task
        signal.cancels(task, COURTESY if parcel.stoppable else 0.0)
        return parcels.returned(parcel.name, await result)

    def _report(self, number: int, fraction: float) -> None:
        self._send(packet(("progress", number, fraction)))

    def _send(self, sent: bytes) -> None:
        with self._sending:
            self._socket.sendall(sent)


def prepare() -> None:
    """Prepare this process to be a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends us
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    if sys.platform == "linux":  # a line's thread does not run while C code holds the GIL
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _called(name: str, function: Callable[[], object]) -> parcels.Outcome | Awaitable[object]:
    """Call a plain function, in a thread; not every error could leave it by a future."""
    try:
        result = function()
        return result if inspect.isawaitable(result) else parcels.returned(name, result)
    except BaseException as error:  # it goes to the caller
        return parcels.raised(name, error)
