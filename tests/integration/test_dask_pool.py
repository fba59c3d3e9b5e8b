"""The worker pool on a Dask cluster: a real one, of processes."""

import asyncio
import gc
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from distributed import Client, LocalCluster
from panel_session_monitor.adapters.dask import DaskPool
from panel_session_monitor.adapters.dask.names import PLUGIN, TELL
from panel_session_monitor.application.pool import SharedPool
from panel_session_monitor.application.pool_ports import Call, WorkerDied
from panel_session_monitor.pool import worker

from ..contracts.pool import PATIENCE, ProcessesContract, begun, called
from ..support import work
from ..support.children import running
from ..support.processes import ROOT, eventually

pytestmark = pytest.mark.alone


@contextmanager
def a_cluster(**shape: int) -> Iterator[LocalCluster]:
    """A cluster whose workers import the tests' functions by their names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        with LocalCluster(processes=True, dashboard_address=":0", **shape) as cluster:
            yield cluster


def unprepare(dask_worker: Any) -> None:
    """Take from a worker what a pool adds to it."""
    dask_worker.taken = dask_worker.plugins.pop(PLUGIN)


def prepare(dask_worker: Any) -> None:
    """Give it back."""
    dask_worker.plugins[PLUGIN] = dask_worker.taken


class Begun:
    """A task that tells when it has been shown the progress of so many calls."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self.all = threading.Event()

    @property
    def progress(self) -> float | None:
        return None

    @progress.setter
    def progress(self, value: float | None) -> None:
        self._missing -= 1
        if not self._missing:
            self.all.set()


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with a_cluster(n_workers=2, threads_per_worker=4) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def calm() -> Iterator[LocalCluster]:
    """A cluster none of whose workers dies, or is replaced, because of a test before."""
    with a_cluster(n_workers=2, threads_per_worker=4) as cluster:
        yield cluster


@pytest.fixture
def calm_pool(calm: LocalCluster) -> Iterator[DaskPool]:
    pool = DaskPool(calm.scheduler_address)
    yield pool
    pool.close()
    assert pool.join(PATIENCE)


@pytest.fixture(scope="class")
def pools() -> Iterator[list[DaskPool]]:
    """The pools of a class's tests: the next one is made when the last was closed."""
    pools: list[DaskPool] = []
    yield pools
    for pool in pools:
        pool.close()
    assert all(pool.join(PATIENCE) for pool in pools)


@pytest.fixture
def pool(cluster: LocalCluster, pools: list[DaskPool]) -> DaskPool:
    if not pools or pools[-1].closed:
        pools.append(DaskPool(cluster.scheduler_address))
    return pools[-1]


class TestDaskPool(ProcessesContract):
    """Dask's workers."""


# Calls are made once


def test_a_call_whose_worker_is_killed_is_not_made_again(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    pool = DaskPool(cluster.scheduler_address)
    with pytest.raises(WorkerDied):
        called(pool, work.mark_and_die, tmp_path)

    assert called(pool, work.double, 1) == 2
    pool.close()
    assert pool.join(PATIENCE)
    assert (tmp_path / "marks").read_text() == "x"


@pytest.mark.long
def test_a_call_whose_worker_is_retired_is_not_made_again(tmp_path: Path) -> None:
    with (
        a_cluster(n_workers=2, threads_per_worker=1) as own,
        Client(own.scheduler_address, set_as_default=False) as client,
    ):
        pool = DaskPool(own.scheduler_address)
        calls = [begun(pool, work.mark_until_stopped, tmp_path) for _ in range(2)]
        where = client.processing()

        client.retire_workers([next(address for address, keys in where.items() if keys)])
        eventually(lambda: any(call.done() for call in calls))

        assert [type(call.exception()) for call in calls if call.done()] == [WorkerDied]
        for call in calls:
            call.cancel()
        assert called(pool, work.double, 1) == 2
        pool.close()
        assert pool.join(PATIENCE)
    assert (tmp_path / "marks").read_text() == "xx"


@pytest.mark.long
def test_a_call_waits_for_workers_that_are_not_prepared_yet(
    calm: LocalCluster, calm_pool: DaskPool
) -> None:
    called(calm_pool, work.double, 1)
    with Client(calm.scheduler_address, set_as_default=False) as client:
        client.run(unprepare)
        calls = [calm_pool.submit(Call(function=work.double, args=(each,))) for each in range(5)]
        assert not wait(calls, 0.5).done
        client.run(prepare)

    assert [call.result(PATIENCE) for call in calls] == [0, 2, 4, 6, 8]


# Calls are stopped


@pytest.mark.parametrize("function", [work.until_stopped, work.until_stopped_plainly])
def test_a_call_is_told_to_stop_though_another_pool_has_come(
    calm: LocalCluster, calm_pool: DaskPool, function: Callable[..., Any], tmp_path: Path
) -> None:
    call = begun(calm_pool, function, tmp_path, 1)
    other = DaskPool(calm.scheduler_address)
    assert called(other, work.double, 1) == 2

    call.cancel()

    eventually(lambda: work.notes(tmp_path))
    other.close()
    assert other.join(PATIENCE)


@pytest.mark.long
def test_a_worker_that_is_lost_to_its_work_is_replaced_and_the_others_finish(
    tmp_path: Path,
) -> None:
    with a_cluster(n_workers=1, threads_per_worker=2) as own:
        pool = DaskPool(own.scheduler_address)
        old = called(pool, work.pid)
        stubborn = begun(pool, work.heed_nothing)
        other = pool.submit(Call(function=work.long_enough, args=(7,)))
        waiting = [pool.submit(Call(function=work.double, args=(each,))) for each in range(5)]

        stubborn.cancel()

        assert [call.result(PATIENCE) for call in waiting] == [0, 2, 4, 6, 8]
        assert other.result(PATIENCE) == 14
        assert called(pool, work.pid) != old
        eventually(lambda: not running(old))
        pool.close()
        assert pool.join(PATIENCE)


@pytest.mark.long
def test_what_waits_with_a_worker_that_is_leaving_is_made_by_another(tmp_path: Path) -> None:
    with a_cluster(n_workers=1, threads_per_worker=2) as own:
        pool = DaskPool(own.scheduler_address)
        stubborn = begun(pool, work.heed_nothing)
        other = begun(pool, work.until_stopped, tmp_path, 1)
        waiting = pool.submit(Call(function=work.double, args=(3,)))

        stubborn.cancel()
        scheduler: Any = own.scheduler
        workers = scheduler.workers
        eventually(
            lambda: [each.status.name for each in workers.values()] == ["closing_gracefully"]
        )
        own.scale(2)

        assert waiting.result(PATIENCE) == 6
        assert not other.done()
        pool.close()
        assert pool.join(PATIENCE)


async def test_the_kill_of_one_of_twenty_sessions_is_fast_and_nobody_elses(
    calm: LocalCluster, tmp_path: Path
) -> None:
    shared = SharedPool(partial(DaskPool, calm.scheduler_address))
    ends: list[Callable[[], None]] = []
    killed, *others = (shared.share(number, ends.append) for number in range(20))
    shown = Begun(8)
    looking = partial(work.until_stopped, tmp_path)
    stuck = asyncio.ensure_future(killed.map(looking, range(10), task=shown))
    assert await asyncio.to_thread(shown.all.wait, PATIENCE)  # each thread of the cluster is busy
    working = [
        asyncio.ensure_future(each.map(work.slowly, range(number, number + 10)))
        for number, each in enumerate(others)
    ]

    ordered = monotonic()
    ends[0]()

    with pytest.raises(asyncio.CancelledError):
        await stuck
    assert monotonic() - ordered < 0.3
    results = await asyncio.gather(*working)
    assert results == [[2 * each for each in range(n, n + 10)] for n in range(19)]
    stopped = work.notes(tmp_path)
    assert len(stopped) >= 8  # a thread that is free may have begun with another meanwhile
    assert max(stopped.values()) - ordered < 0.3
    for end in ends[1:]:
        end()


# aiomultiprocess's face


async def test_a_gathered_call_with_a_stop_event_works_as_written(calm_pool: DaskPool) -> None:
    stop_event = calm_pool.manager().Event()
    on_kill = stop_event.set

    results = await asyncio.gather(
        *(calm_pool.apply(worker, (each, stop_event)) for each in range(2))
    )
    running = asyncio.gather(*(calm_pool.apply(worker, (each, stop_event)) for each in range(2)))
    on_kill()
    stopped = await running

    assert results == [0, 1]
    assert stopped == [None] * 2
    assert await asyncio.to_thread(stop_event.is_set)


# Nobody is harmed


def test_an_error_in_words_that_are_none_comes_too(calm_pool: DaskPool) -> None:
    with pytest.raises(ValueError, match="\udcff"):
        called(calm_pool, work.fail_in_surrogates)

    assert called(calm_pool, work.double, 1) == 2


def test_calls_leave_nothing_at_the_scheduler(
    calm: LocalCluster, calm_pool: DaskPool, tmp_path: Path
) -> None:
    calls = [calm_pool.submit(Call(function=work.double, args=(each,))) for each in range(100)]
    results = [call.result(PATIENCE) for call in calls]
    begun(calm_pool, work.until_stopped, tmp_path, 1).cancel()

    scheduler: Any = calm.scheduler
    eventually(lambda: not scheduler.tasks)

    assert results == [2 * each for each in range(100)]


def test_much_goes_to_and_fro_without_a_word(calm: LocalCluster) -> None:
    pool = DaskPool(calm.scheduler_address)
    much = bytes(20_000_000)

    with warnings.catch_warnings(record=True) as told:
        assert called(pool, work.echo, much) == much
        pool.close()
        assert pool.join(PATIENCE)

    assert told == []


def test_a_forked_child_leaves_its_parents_pool_alone(calm_pool: DaskPool) -> None:
    called(calm_pool, work.double, 1)

    child = os.fork()
    if child == 0:
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)

    assert called(calm_pool, work.double, 2) == 4


@pytest.mark.long
def test_rounds_leave_nothing_behind(calm: LocalCluster) -> None:
    def traces() -> tuple[int, int]:
        gc.collect()
        return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))

    def a_round() -> None:
        pool = DaskPool(calm.scheduler_address)
        stuck = begun(pool, work.never_look)
        assert called(pool, work.double, 1) == 2
        stuck.cancel()
        pool.close()
        assert pool.join(PATIENCE)

    a_round()
    before = traces()

    for _ in range(10):
        a_round()

    eventually(lambda: traces() <= before)


def test_what_is_told_to_a_pool_that_is_just_gone_harms_no_worker(
    calm: LocalCluster, calm_pool: DaskPool
) -> None:
    called(calm_pool, work.double, 1)
    scheduler: Any = calm.scheduler

    async def lose_the_pool_and_tell_it(worker: str) -> None:
        client, line = scheduler.client_comms.popitem()
        scheduler.client_comms[client] = line
        line.comm.abort()
        scheduler.stream_handlers[TELL](client=client, worker=worker, number=0, progress=0.5)

    calm.sync(lose_the_pool_and_tell_it, next(iter(scheduler.workers)))
