"""How sessions share a pool: counted in and out, their calls stopped at their end."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from panel_session_monitor.adapters.interruption import Interruptions, raiser
from panel_session_monitor.application.pool import SharedPool, Work
from panel_session_monitor.application.pool_ports import PoolClosed
from panel_session_monitor.application.tracker import Tracker

from ...fakes.pool import InMemoryPool
from ...support import work as functions
from ...support.processes import eventually
from .app import App

PATIENCE = 10.0


@dataclass(slots=True)
class Pools:
    """A shared pool that remembers all that were made."""

    made: list[InMemoryPool] = field(default_factory=list)
    shared: SharedPool[InMemoryPool] = field(init=False)

    def __post_init__(self) -> None:
        self.shared = SharedPool(self._make)

    def _make(self) -> InMemoryPool:
        self.made.append(InMemoryPool())
        return self.made[-1]

    def closed(self) -> list[bool]:
        return [pool.closed for pool in self.made]


@dataclass(eq=False)
class Session:
    """Someone who shares it, and what is called at their end."""

    pools: Pools
    ends: list[Callable[[], None]] = field(default_factory=list)

    def share(self) -> Work:
        return self.pools.shared.share(self, self.ends.append)

    def end(self) -> None:
        for each in self.ends:
            each()


@pytest.fixture
def pools() -> Pools:
    return Pools()


# Counting


def test_the_pool_is_made_at_the_first_use_and_closed_after_the_last(pools: Pools) -> None:
    first, second = Session(pools), Session(pools)
    assert pools.made == []

    first.share()
    second.share()
    first.end()
    assert pools.closed() == [False]

    second.end()
    assert pools.closed() == [True]


def test_a_session_that_comes_after_the_last_gets_a_new_pool(pools: Pools) -> None:
    first, second = Session(pools), Session(pools)
    first.share()
    first.end()

    second.share()

    assert pools.closed() == [True, False]


def test_a_session_counts_once_and_until_its_end(pools: Pools) -> None:
    session = Session(pools)
    works = [session.share(), session.share()]

    for each in works:
        pools.shared.give_back(session, each)

    assert (pools.closed(), len(session.ends)) == ([False], 1)


def test_sessions_are_counted_by_hand(pools: Pools) -> None:
    shared, first, second = pools.shared, Session(pools), Session(pools)
    for session in (first, second, first):
        shared.enter(session)

    shared.leave()
    assert pools.closed() == [False]
    shared.leave()
    assert pools.closed() == [True]

    shared.leave()
    assert shared.enter(first) is pools.made[-1]
    assert pools.closed() == [True, False]


def test_a_script_is_one_session(pools: Pools) -> None:
    for _ in range(3):
        pools.shared.enter(None)

    pools.shared.leave()

    assert pools.closed() == [True]


def test_both_ways_to_count_hold_the_pool(pools: Pools) -> None:
    session = Session(pools)
    session.share()
    pools.shared.enter(session)

    session.end()
    assert pools.closed() == [False]
    pools.shared.leave()
    assert pools.closed() == [True]


def test_a_pool_that_broke_is_replaced(pools: Pools) -> None:
    Session(pools).share()
    pools.made[0].close()

    Session(pools).share()

    assert pools.closed() == [True, False]


def test_a_shut_down_forgets_everybody(pools: Pools) -> None:
    session = Session(pools)
    session.share()

    assert pools.shared.shut_down() is pools.made[0]
    assert pools.shared.shut_down() is None
    session.end()

    assert pools.closed() == [True]


# Work


async def test_functions_get_their_arguments_and_a_stop_event(pools: Pools) -> None:
    work = Session(pools).share()

    assert await work.apply(functions.double, 4) == 8
    assert await work.map(functions.double_plainly, range(5)) == [0, 2, 4, 6, 8]
    assert await work.map(functions.double, []) == []


async def begun(
    work: Work, function: Callable[..., object], *args: object
) -> asyncio.Future[list[object]]:
    """Return a map of one call that has begun."""
    shown = Shown()
    running = asyncio.ensure_future(work.map(partial(function, *args), [1], task=shown))
    await asyncio.to_thread(shown.seen.wait, PATIENCE)
    return running


class Shown:
    """A task that remembers what it has shown."""

    def __init__(self) -> None:
        self.all: list[float | None] = []
        self.seen = threading.Event()

    @property
    def progress(self) -> float | None:
        return self.all[-1] if self.all else None

    @progress.setter
    def progress(self, value: float | None) -> None:
        self.all.append(value)
        self.seen.set()


async def test_the_end_of_a_session_cancels_its_calls_and_no_others(
    pools: Pools, tmp_path: Path
) -> None:
    killed, other = Session(pools), Session(pools)
    ended = await begun(killed.share(), functions.until_stopped, tmp_path)
    going_on = await begun(other.share(), functions.until_stopped, tmp_path)

    await asyncio.to_thread(killed.end)

    with pytest.raises(asyncio.CancelledError):
        await ended
    assert not going_on.done()
    other.end()


async def test_after_the_end_nothing_begins(pools: Pools) -> None:
    session = Session(pools)
    work = session.share()
    session.end()

    with pytest.raises(asyncio.CancelledError):
        await work.apply(functions.double, 1)


async def test_the_first_failure_of_a_map_stops_the_rest(pools: Pools, tmp_path: Path) -> None:
    work = Session(pools).share()

    with pytest.raises(TypeError):
        await work.map(functions.double, [1, object, 2])

    assert all(stop.is_set() for stop in pools.made[0].waiting.values())


async def test_a_task_shows_how_far_a_map_has_come(pools: Pools) -> None:
    shown = Shown()

    await Session(pools).share().map(functions.double, range(4), task=shown)

    assert shown.all == [0.25, 0.5, 0.75, 1.0]


async def test_a_pool_that_closes_fails_the_calls(pools: Pools, tmp_path: Path) -> None:
    waiting = await begun(Session(pools).share(), functions.until_stopped, tmp_path)

    pools.made[0].close()

    with pytest.raises(PoolClosed):
        await waiting


# The tracker


@pytest.fixture
def app() -> App:
    return App()


def tracker(app: App, pools: Pools) -> Tracker:
    link = app.linked(lambda: 0.0)
    app.tracking.wake = lambda: None
    return Tracker(link, app.open(), Interruptions(raiser()), lambda: pools.shared)


async def test_a_tracker_gives_its_session_a_share(app: App, pools: Pools) -> None:
    tracked = tracker(app, pools)

    async with tracked.pool() as work, tracked.task("Doubling") as task:
        results = await work.map(functions.double, [1, 2], task=task)

    assert (results, pools.closed()) == ([2, 4], [False])
    with pytest.raises(asyncio.CancelledError):
        await work.apply(functions.double, 1)


async def test_the_end_of_the_tracking_cancels_the_work(
    app: App, pools: Pools, tmp_path: Path
) -> None:
    tracked = tracker(app, pools)

    async with tracked.pool() as work:
        waiting = await begun(work, functions.until_stopped, tmp_path)
        tracked.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    await asyncio.to_thread(eventually, lambda: pools.closed() == [True])
