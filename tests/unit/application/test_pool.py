"""How sessions share a pool: counted in and out, their calls stopped at their end."""

import asyncio
import gc
import threading
import weakref
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
from ...fakes.progress import RecordedProgress
from ...support import work as functions
from ...support.processes import eventually
from ...support.sharing import Session
from .app import App


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


@pytest.fixture
def pools() -> Pools:
    return Pools()


# Counting


def test_the_pool_is_made_at_the_first_use_and_closed_after_the_last(pools: Pools) -> None:
    first, second = Session(pools.shared), Session(pools.shared)
    assert pools.made == []

    first.share()
    second.share()
    first.end()
    assert pools.closed() == [False]

    second.end()
    assert pools.closed() == [True]


def test_a_session_that_comes_after_the_last_gets_a_new_pool(pools: Pools) -> None:
    first, second = Session(pools.shared), Session(pools.shared)
    first.share()
    first.end()

    second.share()

    assert pools.closed() == [True, False]


def test_a_session_counts_once_and_until_its_end(pools: Pools) -> None:
    session = Session(pools.shared)
    works = [session.share(), session.share()]

    for each in works:
        pools.shared.give_back(session, each)

    assert (pools.closed(), len(session.ends)) == ([False], 1)


def test_sessions_are_counted_by_hand(pools: Pools) -> None:
    shared, first, second = pools.shared, Session(pools.shared), Session(pools.shared)
    for session in (first, second, first):
        shared.enter(session)

    shared.leave()
    assert pools.closed() == [False]
    shared.leave()
    assert pools.closed() == [True]

    shared.leave()
    assert shared.enter(first) is pools.made[-1]
    assert pools.closed() == [True, False]
    shared.leave()
    assert pools.closed() == [True, True]


def test_a_script_is_one_session(pools: Pools) -> None:
    for _ in range(3):
        pools.shared.enter(None)

    pools.shared.leave()

    assert pools.closed() == [True]


def test_both_ways_to_count_hold_the_pool(pools: Pools) -> None:
    session = Session(pools.shared)
    session.share()
    pools.shared.enter(session)

    session.end()
    assert pools.closed() == [False]
    pools.shared.leave()
    assert pools.closed() == [True]


def test_a_pool_that_broke_is_replaced(pools: Pools) -> None:
    Session(pools.shared).share()
    pools.made[0].close()

    Session(pools.shared).share()

    assert pools.closed() == [True, False]


def test_a_shut_down_forgets_everybody(pools: Pools) -> None:
    session = Session(pools.shared)
    session.share()

    assert pools.shared.shut_down() is pools.made[0]
    assert pools.shared.shut_down() is None
    session.end()

    assert pools.closed() == [True]


def test_a_forked_child_begins_with_nobody_and_leaves_its_parents_pool_alone(pools: Pools) -> None:
    session, by_hand = Session(pools.shared), Session(pools.shared)
    session.share()
    pools.shared.enter(by_hand)

    pools.shared.abandon()
    pools.shared.enter(by_hand)
    assert pools.closed() == [False, False]
    pools.shared.leave()

    assert pools.closed() == [False, True]


def test_what_is_given_back_is_stopped_and_forgotten_and_others_of_the_session_go_on(
    pools: Pools,
) -> None:
    session = Session(pools.shared)
    given, kept = session.share(), session.share()
    forgotten = weakref.ref(given)

    pools.shared.give_back(session, given)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(given.apply(functions.double, 1))
    assert asyncio.run(kept.apply(functions.double, 1)) == 2
    del given
    gc.collect()
    assert forgotten() is None


def test_asking_for_the_number_of_processes_makes_none(pools: Pools) -> None:
    assert pools.shared.processes == 0
    assert pools.made == []

    pools.shared.enter(None)

    assert pools.shared.processes == pools.made[0].processes


# Work


async def test_functions_get_their_arguments_and_a_stop_event(pools: Pools) -> None:
    work = Session(pools.shared).share()

    assert await work.apply(functions.double, 4) == 8
    assert await work.apply(functions.subtract, 4, 1) == 3
    assert await work.map(functions.double_plainly, range(5)) == [0, 2, 4, 6, 8]
    assert await work.map(functions.double, []) == []


async def begun(
    work: Work, function: Callable[..., object], *args: object
) -> asyncio.Future[list[object]]:
    """Return a map of one call that has begun."""
    shown = RecordedProgress()
    running = asyncio.ensure_future(work.map(partial(function, *args), [1], task=shown))
    await asyncio.to_thread(shown.wait)
    return running


async def test_the_end_of_a_session_cancels_its_calls_and_no_others(
    pools: Pools, tmp_path: Path
) -> None:
    killed, other = Session(pools.shared), Session(pools.shared)
    ended = await begun(killed.share(), functions.until_stopped, tmp_path)
    going_on = await begun(other.share(), functions.until_stopped, tmp_path)

    await asyncio.to_thread(killed.end)

    with pytest.raises(asyncio.CancelledError):
        await ended
    assert not going_on.done()
    other.end()


async def test_after_the_end_nothing_begins(pools: Pools) -> None:
    session = Session(pools.shared)
    work = session.share()
    session.end()

    with pytest.raises(asyncio.CancelledError):
        await work.apply(functions.double, 1)


async def test_the_first_failure_of_a_map_stops_the_rest(pools: Pools, tmp_path: Path) -> None:
    work = Session(pools.shared).share()

    with pytest.raises(TypeError):
        await work.map(functions.double, [1, object, 2])

    assert all(stop.is_set() for stop in pools.made[0].waiting.values())


async def test_a_task_shows_how_far_a_map_has_come(pools: Pools) -> None:
    shown = RecordedProgress()

    await Session(pools.shared).share().map(functions.double, range(4), task=shown)

    assert shown.all == [0.25, 0.5, 0.75, 1.0]


async def test_a_task_shows_the_mean_of_what_the_calls_report(pools: Pools) -> None:
    shown = RecordedProgress()

    await Session(pools.shared).share().map(functions.half_way, range(2), task=shown)

    assert shown.all == [0.25, 0.5, 0.75, 1.0]


async def test_a_task_shows_how_far_one_call_has_come(pools: Pools) -> None:
    shown = RecordedProgress()

    await Session(pools.shared).share().apply(functions.half_way, 1, task=shown)

    assert shown.all == [0.5, 1.0]


async def test_a_call_that_fails_is_not_shown_as_done(pools: Pools) -> None:
    shown = RecordedProgress()

    with pytest.raises(KeyError):
        await Session(pools.shared).share().apply(functions.fail, task=shown)

    assert shown.all == []


async def test_a_task_that_cannot_be_shown_holds_up_nobody(pools: Pools) -> None:
    class Broken(RecordedProgress):
        @property
        def progress(self) -> float | None:
            return None

        @progress.setter
        def progress(self, value: float | None) -> None:
            raise SystemExit(3)

    work = Session(pools.shared).share()

    assert await work.map(functions.double, [1, 2], task=Broken()) == [2, 4]


async def test_calls_are_their_sessions(pools: Pools) -> None:
    session = Session(pools.shared)

    for work in (session.share(), session.share()):
        await work.apply(functions.double, 1)
    await Session(pools.shared).share().apply(functions.double, 1)

    first, second, other = pools.made[0].owners
    assert first is second is session
    assert other is not session


async def test_a_session_that_ends_amid_a_long_map_is_not_kept_waiting_by_it(pools: Pools) -> None:
    session = Session(pools.shared)
    many = asyncio.ensure_future(session.share().map(functions.double, range(2_000)))
    await asyncio.sleep(0)

    session.end()

    with pytest.raises(asyncio.CancelledError):
        await many
    assert len(pools.made[0].owners) < 1_000


async def test_a_pool_that_closes_fails_the_calls(pools: Pools, tmp_path: Path) -> None:
    waiting = await begun(Session(pools.shared).share(), functions.until_stopped, tmp_path)

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


async def test_a_callback_of_the_app_that_hangs_does_not_hold_up_the_end_of_the_work(
    app: App, pools: Pools, tmp_path: Path
) -> None:
    tracked = tracker(app, pools)
    hanging = threading.Event()
    tracked.on_kill(hanging.wait)

    async with tracked.pool() as work:
        waiting = await begun(work, functions.until_stopped, tmp_path)
        tracked.close()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 10.0)

    hanging.set()
