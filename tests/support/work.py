"""Functions for a worker pool to run: good ones and bad ones, importable in any process."""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Iterator
from pathlib import Path

from panel_session_monitor.application.pool_ports import Stop

LOOK = 0.05
"""Time between two looks at the stop event, in seconds."""


class Awkward(Exception):
    """It can be pickled, and not be unpickled."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")

    def __reduce__(self) -> tuple[object, ...]:
        # Said here, as some libraries teach all other errors to be unpickled.
        return Awkward, self.args


class Unspeakable(Exception):
    """It cannot be told in words."""

    def __str__(self) -> str:
        raise ValueError("no words")


class UnspeakableNotes(Exception):
    """Its notes are none."""

    __notes__ = 7  # type: ignore[assignment]


class Shifting(Exception):
    """It becomes something else on its way."""

    def __init__(self, into: object) -> None:
        super().__init__("shifting")
        self.into = into

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.into, ()


class Treacherous:
    """It cannot be unpickled."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.lstat, ("/nowhere",)


class Exiting:
    """Whoever unpickles it exits."""

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return sys.exit, (3,)


class Refusing:
    """It raises something where it is pickled."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        raise self.error


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


async def slowly_shown(number: int, stop: Stop) -> int:
    """Say that it has begun, and take a while."""
    stop.progress(0.0)
    return await slowly(number, stop)


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
        await asyncio.sleep(2 * LOOK)  # what comes at once may be merged


async def fail(stop: Stop) -> None:
    raise KeyError("lost")


async def fail_awkwardly(stop: Stop) -> None:
    raise Awkward(1, 2)


async def fail_unspeakably(stop: Stop) -> None:
    raise Unspeakable


async def fail_with_strange_notes(stop: Stop) -> None:
    raise UnspeakableNotes


async def fail_as_no_future_takes_it(stop: Stop) -> None:
    raise Shifting(StopIteration)


async def fail_with_no_error(stop: Stop) -> None:
    raise Shifting(int)


async def fail_with_an_exit(stop: Stop) -> None:
    raise Shifting(SystemExit)


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


async def return_an_exit(stop: Stop) -> object:
    return Exiting()


async def refuse(stop: Stop) -> object:
    return Refusing(Unspeakable())


def double_later(number: int, stop: Stop) -> Awaitable[int]:
    """Return what is to be awaited, as a decorated coroutine function may."""
    return double(number, stop)


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
    stop.progress(0.0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    heed_nothing(stop)


async def hold_the_interpreter(stop: Stop) -> None:
    """Compute for hours in C, so that no other thread of the process runs."""
    stop.progress(0.0)
    sum(range(10**13))


async def hold_the_interpreter_for(_: object, stop: Stop) -> None:
    """Do so for an item."""
    await hold_the_interpreter(stop)


async def half_way(_: object, stop: Stop) -> None:
    stop.progress(0.5)


async def subtract(one: int, other: int, stop: Stop) -> int:
    return one - other


async def note_cancellation(folder: Path, number: int, stop: Stop) -> None:
    """Heed no stop event; leave a note when cancelled."""
    stop.progress(0.0)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        _note(folder, number)
        raise


def report_when_stopped(folder: Path, number: int, stop: Stop) -> None:
    """Report progress that nobody wants any more."""
    stop.progress(0.0)
    stop.wait()
    stop.progress(0.9)
    time.sleep(4 * LOOK)  # longer than progress is held back
    _note(folder, number)


async def report_to_the_end(stop: Stop) -> None:
    """Report something that would be shown a little later, and return."""
    stop.progress(0.1)
    stop.progress(0.9)


def report_much(stop: Stop) -> None:
    """Report more than anybody can see, then wait."""
    for number in range(10_000):
        stop.progress(number / 10_000)
    stop.progress(0.5)
    stop.wait()


def interrupts(stop: Stop) -> tuple[bool, bool]:
    """Tell whether Ctrl-C is ignored, and whether it is blocked."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN, signal.SIGINT in blocked


async def tell_pid_and_wait(folder: Path, number: int, stop: Stop) -> None:
    """Leave a note of the process that it runs in."""
    (folder / f"{number}.pid").write_text(str(os.getpid()))
    stop.progress(0.0)
    while not stop.is_set():  # noqa: ASYNC110  # that is how it must be asked
        await asyncio.sleep(LOOK)


def have_a_child_plainly(folder: Path, stop: Stop) -> None:
    """Fork a child that outlives the worker and holds all it has; then heed nothing."""
    child = os.fork()
    if not child:
        signal.alarm(60)
        signal.pause()
    (folder / "child.pid").write_text(str(child))
    stop.progress(0.0)
    heed_nothing(stop)


async def have_a_child(folder: Path, stop: Stop) -> None:
    have_a_child_plainly(folder, stop)


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
