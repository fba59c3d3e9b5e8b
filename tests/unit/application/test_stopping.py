"""How a call of the pool is told to stop, whenever and wherever it looks."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from panel_session_monitor.application.stopping import Signal

SOON = 10.0


@pytest.fixture
def stop() -> Iterator[Signal]:
    loop = asyncio.new_event_loop()
    yield Signal(loop, lambda _: None)
    loop.close()


def test_a_call_that_goes_on_waits_in_vain(stop: Signal) -> None:
    assert not stop.is_set()
    assert not stop.wait(0.01)


def test_whoever_begins_to_wait_afterwards_need_not(stop: Signal) -> None:
    stop.set()

    assert stop.is_set()
    assert stop.wait(0)


def test_all_threads_that_wait_are_woken(stop: Signal) -> None:
    woken: list[bool] = []
    waiting = [
        threading.Thread(target=lambda: woken.append(stop.wait(SOON)), daemon=True)
        for _ in range(3)
    ]
    for each in waiting:
        each.start()
    stop.wait(0.05)

    stop.set()

    for each in waiting:
        each.join(SOON / 2)
    assert woken == [True] * 3
