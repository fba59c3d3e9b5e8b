"""Functions for a worker pool to run: good ones and bad ones, importable in any process."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from panel_session_monitor.application.pool_ports import Stop

LOOK = 0.05
"""Time between two looks at the stop event, in seconds."""


class Awkward(Exception):
    """It can be pickled, and not be unpickled."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


class Unspeakable(Exception):
    """It cannot be told in words."""

    def __str__(self) -> str:
        raise ValueError("no words")


class Treacherous:
    """An argument that cannot be unpickled."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.lstat, ("/nowhere",)


async def double(number: int, stop: Stop) -> int:
    return 2 * number


def double_plainly(number: int, stop: Stop) -> int:
    return 2 * number


async def pid(stop: Stop) -> int:
    return os.getpid()


async def slowly(number: int, stop: Stop) -> int:
    """Take a while, and give up when told to stop."""
    for _ in range(8):
        if stop.is_set():
            return -1
        await asyncio.sleep(LOOK)
    return 2 * number


async def until_stopped(folder: Path, number: int, stop: Stop) -> None:
    """Look at the event every 50 ms; leave a note of the moment at which it was set."""
    stop.progress(0.0)
    while not stop.is_set():  # noqa: ASYNC110  # that is how it must be asked
        await asyncio.sleep(LOOK)
    _note(folder, number)


def until_stopped_plainly(folder: Path, number: int, stop: Stop) -> None:
    stop.progress(0.0)
    stop.wait()
    _note(folder, number)


async def report(stop: Stop) -> None:
    """Report progress of all sorts."""
    for fraction in (0.25, 2.0, -1.0, float("nan")):
        stop.progress(fraction)


async def fail(stop: Stop) -> None:
    raise KeyError("lost")


async def fail_awkwardly(stop: Stop) -> None:
    raise Awkward(1, 2)


async def fail_unspeakably(stop: Stop) -> None:
    raise Unspeakable


async def fail_in_surrogates(stop: Stop) -> None:
    """Fail as with the name of a file that is no UTF-8."""
    raise ValueError("\udcff")


async def leave(stop: Stop) -> None:
    raise SystemExit(3)


def end_iteration(stop: Stop) -> None:
    raise StopIteration


async def cancel_itself(stop: Stop) -> None:
    raise asyncio.CancelledError


def generate(stop: Stop) -> Iterator[int]:
    yield 1


async def return_a_lock(stop: Stop) -> object:
    return threading.Lock()


async def die(stop: Stop) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def die_beside_another(stop: Stop) -> None:
    await asyncio.sleep(LOOK)
    os.kill(os.getpid(), signal.SIGKILL)


async def long_enough(number: int, stop: Stop) -> int:
    """Take longer than a call that does not stop is borne with."""
    for _ in range(80):
        if stop.is_set():
            return -1
        await asyncio.sleep(LOOK)
    return 2 * number


async def mark_until_stopped(folder: Path, stop: Stop) -> None:
    """Leave a mark for each time it was begun, and wait."""
    with (folder / "marks").open("a") as marks:
        marks.write("x")
    stop.progress(0.0)
    while not stop.is_set():  # noqa: ASYNC110  # that is how it must be asked
        await asyncio.sleep(LOOK)


async def mark_and_die(folder: Path, stop: Stop) -> None:
    """Leave a mark for each time it was begun, and die."""
    with (folder / "marks").open("a") as marks:
        marks.write("x")
    os.kill(os.getpid(), signal.SIGKILL)


async def never_look(stop: Stop) -> None:
    """Await something for ever."""
    stop.progress(0.0)
    await asyncio.Event().wait()


def heed_nothing(stop: Stop) -> None:
    """Go on for ever, in a thread."""
    stop.progress(0.0)
    while True:
        time.sleep(LOOK)


def heed_nothing_for(_: object, stop: Stop) -> None:
    """Do so for an item."""
    heed_nothing(stop)


async def heed_no_signal(stop: Stop) -> None:
    """Block the worker's event loop for ever, and ignore SIGTERM as well."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    heed_nothing(stop)


async def hold_the_interpreter(stop: Stop) -> None:
    """Compute for hours in C, so that no other thread of the process runs."""
    stop.progress(0.0)
    sum(range(10**13))


async def echo(content: object, stop: Stop) -> object:
    return content


async def return_much(size: int, stop: Stop) -> bytes:
    return bytes(size)


async def nothing(*_: object) -> None:
    """Return at once."""


def _note(folder: Path, number: int) -> None:
    (folder / f"{number}.note").write_text(str(time.monotonic()))


def notes(folder: Path) -> dict[int, float]:
    """Return the moments that were noted, for the monotonic clock, by number."""
    return {
        int(each.stem): float(text) for each in folder.glob("*.note") if (text := each.read_text())
    }
