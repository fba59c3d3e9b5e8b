"""The worker pool of aiomultiprocess, with real processes, as the process table shows them."""

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from time import monotonic

import pytest
from aiomultiprocess.core import get_manager
from aiomultiprocess.pool import Pool
from panel_session_monitor.adapters.pool import ProcessPool
from panel_session_monitor.application.pool import SharedPool, Work
from panel_session_monitor.application.pool_ports import Call, PoolClosed, WorkerDied
from panel_session_monitor.pool import worker

from ..contracts.pool import PATIENCE, ProcessesContract, begun, called
from ..fakes.progress import RecordedProgress
from ..support import work
from ..support.children import children
from ..support.processes import eventually
from ..support.sharing import Session

pytestmark = pytest.mark.alone

GONE_WITHIN = 3.0


class TestProcessPool(ProcessesContract):
    """aiomultiprocess's workers."""


# Ends


def test_all_processes_are_gone_in_time_whatever_they_do(pool: ProcessPool) -> None:
    calls = [begun(pool, function) for function in (work.heed_no_signal, work.hold_the_interpreter)]
    assert len(children(os.getpid())) == 2

    before = monotonic()
    pool.close()

    assert all(isinstance(each.exception(0.1), PoolClosed) for each in calls)
    assert pool.join(GONE_WITHIN)
    assert monotonic() - before < GONE_WITHIN
    assert children(os.getpid()) == set()


def test_workers_that_are_idle_go_at_once(pool: ProcessPool) -> None:
    called(pool, work.double, 1)

    before = monotonic()
    pool.close()

    assert pool.join(GONE_WITHIN)
    assert monotonic() - before < 1.0


def test_a_pool_may_be_closed_before_its_workers_have_begun() -> None:
    pool = ProcessPool(4)
    waiting = pool.submit(Call(function=work.double, args=(1,)))

    pool.close()

    assert isinstance(waiting.exception(0.1), PoolClosed)
    assert pool.join(GONE_WITHIN)
    assert children(os.getpid()) == set()


def test_the_manager_is_one_process_and_goes_with_the_pool(pool: ProcessPool) -> None:
    event = pool.manager().Event()
    assert pool.manager() is pool.manager()
    called(pool, work.double, 1)
    assert len(children(os.getpid())) == 3
    assert not event.is_set()

    pool.close()

    assert pool.join(GONE_WITHIN)
    assert children(os.getpid()) == set()


def test_a_closed_pool_starts_no_manager(pool: ProcessPool) -> None:
    pool.close()

    with pytest.raises(PoolClosed):
        pool.manager()


# Workers that die


def test_a_result_that_breaks_off_does_not_hold_the_pool(pool: ProcessPool) -> None:
    number = called(pool, work.pid)
    much = pool.submit(Call(function=work.return_much, args=(1 << 28,)))
    os.kill(number, signal.SIGKILL)

    error = much.exception(PATIENCE)

    assert error is None or isinstance(error, WorkerDied)
    assert called(pool, work.double, 1) == 2


def test_workers_that_stand_still_do_not_hold_an_end(pool: ProcessPool) -> None:
    called(pool, work.double, 1)
    for child in children(os.getpid()):
        os.kill(child, signal.SIGSTOP)

    pool.close()

    assert pool.join(GONE_WITHIN)


# aiomultiprocess's face


async def test_a_gathered_call_with_a_managers_event_works_as_written(pool: ProcessPool) -> None:
    stop_event = await asyncio.to_thread(lambda: pool.manager().Event())
    on_kill = stop_event.set

    results = await asyncio.gather(*(pool.apply(worker, (each, stop_event)) for each in range(4)))
    running = asyncio.gather(*(pool.apply(worker, (each, stop_event)) for each in range(4)))
    await asyncio.to_thread(on_kill)
    stopped = await running

    assert results == [0, 1, 2, 3]
    assert stopped == [None] * 4


async def test_maps_keep_the_order(pool: ProcessPool) -> None:
    assert await pool.map(asyncio.sleep, [0.02, 0.01]) == [None, None]
    assert await pool.starmap(asyncio.sleep, [(0.02, "a"), (0.01, "b")]) == ["a", "b"]


async def test_a_caller_that_is_cancelled_waits_no_longer(pool: ProcessPool) -> None:
    called(pool, work.double, 1)
    waiting = asyncio.ensure_future(pool.apply(asyncio.sleep, (1_000,)))
    await pool.apply(asyncio.sleep, (0,))

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


# Sessions


async def test_the_kill_of_one_of_twenty_sessions_is_fast_and_nobody_elses(tmp_path: Path) -> None:
    shared = SharedPool(partial(ProcessPool, 2))
    killed, *others = (Session(shared) for _ in range(20))
    shown = RecordedProgress()
    looking = partial(work.until_stopped, tmp_path)
    stuck = asyncio.ensure_future(killed.share().map(looking, range(10), task=shown))
    working = [
        asyncio.ensure_future(each.share().map(work.slowly, range(number, number + 10)))
        for number, each in enumerate(others)
    ]
    await asyncio.to_thread(shown.wait, 10)

    ordered = monotonic()
    killed.end()

    with pytest.raises(asyncio.CancelledError):
        await stuck
    assert monotonic() - ordered < 0.3
    results = await asyncio.gather(*working)
    assert results == [[2 * each for each in range(n, n + 10)] for n in range(19)]
    stopped = work.notes(tmp_path)
    assert len(stopped) == 10
    assert max(stopped.values()) - ordered < 0.3
    for each in others:
        each.end()
    await asyncio.to_thread(eventually, lambda: not children(os.getpid()), GONE_WITHIN)


# What it costs


@pytest.mark.long
async def test_a_call_costs_hardly_more_than_aiomultiprocess_itself(pool: ProcessPool) -> None:
    share = Work(pool)
    assert await share.map(work.double, range(50)) == list(range(0, 100, 2))

    async def spent(apply: Callable[[], Awaitable[object]]) -> float:
        before = monotonic()
        for _ in range(1_000):
            await apply()
        return monotonic() - before

    with_stop = await spent(lambda: share.apply(work.nothing))
    async with Pool(2) as bare:
        without = await spent(lambda: bare.apply(work.nothing))
    get_manager().shutdown()  # the one of aiomultiprocess, which keeps it

    assert with_stop <= 1.1 * without


# What is left behind


def traces() -> tuple[int, int, int, int]:
    """Return how many children, threads, file descriptors and semaphores this process has."""
    gc.collect()
    return (
        len(children(os.getpid())),
        threading.active_count(),
        len(list(Path("/proc/self/fd").iterdir())),
        Path("/proc/self/maps").read_text().count("/dev/shm/sem."),
    )


def a_round(number: int) -> None:
    """Create, use, kill, shut down."""
    shared = SharedPool(partial(ProcessPool, 2))
    killed, other = Session(shared), Session(shared)

    async def use() -> None:
        stuck = asyncio.ensure_future(killed.share().map(work.slowly, range(4)))
        assert await other.share().map(work.double, range(4)) == [0, 2, 4, 6]
        killed.end()
        with pytest.raises(asyncio.CancelledError):
            await stuck

    if number % 5 == 0:
        shared.enter(None).manager().Event()
    asyncio.run(use())
    pool = shared.shut_down()
    assert pool
    assert pool.join(GONE_WITHIN)


@pytest.mark.parametrize("rounds", [10, pytest.param(500, marks=pytest.mark.long)])
def test_rounds_leave_nothing_behind(rounds: int) -> None:
    a_round(0)
    before = traces()

    for number in range(rounds):
        a_round(number)

    eventually(lambda: traces() <= before, 5.0)
    assert traces() == before
