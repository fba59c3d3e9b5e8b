"""The process that hosts the API: what is set aside by the collector, and who hears of a signal."""

import asyncio
import gc
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType

import pytest
from anyio.lowlevel import checkpoint
from panel_session_monitor.entrypoints.hosting import keep_pauses_short, told_to_stop


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """The signals that the server's own handler has heard of."""
    numbers: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        numbers.append(number)

    before = signal.signal(signal.SIGTERM, handle)
    yield numbers
    signal.signal(signal.SIGTERM, before)


async def test_a_signal_is_told_to_both(heard: list[int]) -> None:
    told = asyncio.Event()

    with told_to_stop(told.set):
        signal.raise_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            await told.wait()

    assert heard == [signal.SIGTERM]


async def test_after_the_block_only_the_server_hears(heard: list[int]) -> None:
    told = asyncio.Event()

    with told_to_stop(told.set):
        pass
    signal.raise_signal(signal.SIGTERM)
    await checkpoint()

    assert heard == [signal.SIGTERM]
    assert not told.is_set()


async def test_a_signal_that_nobody_handles_keeps_its_effect() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)

    with told_to_stop(lambda: None):
        within = signal.getsignal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, before)
    assert within is signal.SIG_DFL


def test_beside_the_main_thread_nothing_is_changed() -> None:
    seen = []

    async def look() -> None:
        with told_to_stop(lambda: None):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=lambda: asyncio.run(look()))
    thread.start()
    thread.join()

    assert seen == [signal.getsignal(signal.SIGTERM)]


async def test_what_is_set_aside_comes_back_in_the_end() -> None:
    keeping = asyncio.create_task(keep_pauses_short())
    await checkpoint()
    aside = gc.get_freeze_count()

    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping

    assert aside > 0
    assert gc.get_freeze_count() == 0
