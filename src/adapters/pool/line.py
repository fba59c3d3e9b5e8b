"""A worker's side of the pool: its line to the pool's process, and one call as it runs there."""

import asyncio
import ctypes
import inspect
import os
import pickle
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any

from . import parcels

CONCURRENCY = 16
"""Most calls that a worker runs at a time."""

COURTESY = 2.0
"""How long a coroutine that was told to stop may go on before it is cancelled, in seconds."""

SIZE = struct.Struct("!Q")
"""What stands before each message: its length."""

PR_SET_PDEATHSIG = 1
"""Linux's prctl(2): the signal to get when the thread that started this process ends."""

Task = tuple[int, Callable[..., Coroutine[Any, Any, Any]], tuple[Any, ...], dict[str, Any]]


def message(content: object) -> bytes:
    """Return a message as it travels."""
    body = pickle.dumps(content)
    return SIZE.pack(len(body)) + body


class Signal:
    """The `Stop` of one call."""

    def __init__(self, report: Callable[[float], None]) -> None:
        self._event = threading.Event()
        self._report = report
        self._on_stop: list[Callable[[], object]] = []
        self.is_set = self._event.is_set
        self.wait = self._event.wait

    def progress(self, fraction: float) -> None:
        """Report how far the call has come, from 0 to 1."""
        self._report(min(max(float(fraction), 0.0), 1.0))

    def set(self) -> None:
        """Tell the call to stop."""
        self._event.set()
        self._tell()

    def cancels(self, task: "asyncio.Task[Any]", after: float) -> None:
        """Have a task cancelled so many seconds after the call was told to stop."""
        loop = task.get_loop()
        self._on_stop.append(
            partial(loop.call_soon_threadsafe, loop.call_later, after, task.cancel)
        )
        if self.is_set():
            self._tell()

    def _tell(self) -> None:
        with suppress(IndexError):  # each at most once, whichever thread comes first
            self._on_stop.pop()()


class Line:
    """A worker's end of a socket: for aiomultiprocess, both the queue of its tasks and of results.

    Calls and orders are received in a thread of its own, so that they come through whatever the
    worker's event loop does. The process ends with its line.
    """

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._signals: dict[int, Signal] = {}
        self._sending = threading.Lock()

    def __reduce__(self) -> tuple[type["Line"], tuple[socket.socket]]:
        return Line, (self._socket,)

    def open(self) -> None:
        """Prepare this process to be a worker."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends us
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        if sys.platform == "linux":  # the thread below does not run while C code holds the GIL
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        threading.Thread(target=self._listen, name="pool-line", daemon=True).start()
        self._send("ready")

    def get_nowait(self) -> Task | None:
        """Return the next task; None when there will be no more (raises queue.Empty)."""
        return self._tasks.get_nowait()

    def put_nowait(self, result: tuple[int, object, str | None]) -> None:
        """Send what became of a task."""
        number, outcome, trace = result
        self._send("done", number, outcome, trace)

    def signal_of(self, number: int) -> Signal:
        """Return the signal of a call."""
        return self._signals[number]

    def forget(self, number: int) -> None:
        """The call is over."""
        del self._signals[number]

    def _send(self, *content: object) -> None:
        sent = message(content)
        with self._sending:
            self._socket.sendall(sent)

    def _listen(self) -> None:
        try:
            with self._socket.makefile("rb") as received:
                while header := received.read(SIZE.size):
                    self._take(pickle.loads(received.read(*SIZE.unpack(header))))  # noqa: S301
        finally:
            os._exit(1)  # nobody waits for this process any more, nor ends it

    def _take(self, content: tuple[Any, ...]) -> None:
        match content:
            case "call", number, function, args:
                self._signals[number] = Signal(partial(self._send, "progress", number))
                self._tasks.put((number, function, (self, number, *args), {}))
            case "stop", number:
                if known := self._signals.get(number):
                    known.set()
            case ("end",):
                for each in list(self._signals.values()):
                    each.set()
                self._tasks.put(None)


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a worker's event loop, with as many threads as it may have calls."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(CONCURRENCY, "pool-call"))
    return loop


async def run(line: Line, number: int, parcel: parcels.Parcel) -> parcels.Outcome:
    """Run a call; it ends with an outcome, come what may, as the worker must live on."""
    try:
        return parcels.returned(parcel.name, await _value(line.signal_of(number), parcel))
    except BaseException as error:  # even SystemExit is but the call's
        return parcels.raised(parcel.name, error)
    finally:
        line.forget(number)


async def _value(signal: Signal, parcel: parcels.Parcel) -> object:
    if signal.is_set():
        return None
    function, args, kwds = parcels.unpacked(parcel)
    given = (*args, signal) if parcel.stoppable else args
    if _is_coroutine_function(function):
        task = asyncio.current_task()
        assert task
        signal.cancels(task, COURTESY if parcel.stoppable else 0.0)
        return await function(*given, **kwds)
    value, error = await asyncio.to_thread(_caught, partial(function, *given, **kwds))
    if error is not None:
        raise error
    return value


def _caught(function: Callable[[], object]) -> tuple[object, BaseException | None]:
    """Call in a thread; no future would take a StopIteration."""
    try:
        return function(), None
    except BaseException as error:  # it goes to the caller
        return None, error


def _is_coroutine_function(function: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004  # an object may be called as one
    )
