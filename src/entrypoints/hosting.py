"""What the API does to the process it runs in: it hears of its end, and keeps its pauses short."""

import asyncio
import gc
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

SECONDS_A_DAY = 86_400

SELDOM = (100_000, 50, 1_000)
"""Thresholds of the garbage collector: new objects left alive that make it look by itself."""


@contextmanager
def told_to_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Within the block, have the event loop call `stop` as soon as the process is to end.

    ASGI servers end the lifespan only when all connections are closed, and a stream would stay
    open for ever: it must hear of the signal itself. The server's own handler is called as before.
    Outside the main thread, where handlers cannot be set, whoever runs the server ends it too.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        previous = before[signal.Signals(number)]
        assert callable(previous)
        previous(number, frame)

    chained = [number for number, previous in before.items() if callable(previous)]
    for number in chained:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in chained:
            if signal.getsignal(number) is handle:
                signal.signal(number, before[number])


def allow_many_connections() -> None:
    """Raise the number of files that may be open as far as the system lets it: streams are many."""
    if resource is None:
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems name a limit that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def keep_pauses_short() -> None:
    """Have the garbage collector look at what is new, not at all there is, until cancelled.

    An open stream is some 90 objects that live long: with 10,000 of them a full collection holds
    up everyone for 0.5 s, and even a young one for 0.15 s, as each keep-alive comment makes some
    of them anew. So what a second has left alive is set aside, and no pause exceeds 0.03 s; 0.08 s
    while 2,500 streams a second open.

    What is set aside is still freed when nothing refers to it. Only cycles stay; ended streams
    leave none, and whatever else does is found once a day, by one full collection.

    In between the collector has little to do: of the time that a list of 10,000 sessions takes, it
    would else spend a fifth on looking at them.
    """
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        while True:
            for _ in range(SECONDS_A_DAY):
                gc.collect(1)
                gc.freeze()
                await asyncio.sleep(1)
            gc.unfreeze()
            gc.collect()
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
