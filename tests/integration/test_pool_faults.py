"""Whatever becomes of its workers, of the system and of the app's code: a pool's callers know."""

import logging
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import pytest
from panel_session_monitor.adapters.pool import ProcessPool
from panel_session_monitor.adapters.pool.members import MOST, Kind
from panel_session_monitor.application.pool_ports import Call, PoolClosed, WorkerDied

from ..contracts.pool import PATIENCE, begun, called
from ..support import work
from ..support.children import children, running
from ..support.processes import eventually

pytestmark = pytest.mark.alone

GONE_WITHIN = 3.0


def test_a_worker_that_does_not_become_ready_is_given_up(pools: list[ProcessPool]) -> None:
    pools.append(ProcessPool(2, ready_within=0.01))

    error = pools[-1].submit(Call(function=work.double, args=(1,))).exception(PATIENCE)

    assert isinstance(error, PoolClosed)
    assert "end before they begin" in str(error)


@contextmanager
def no_more_files() -> Iterator[None]:
    """Have the system give this process no file descriptor."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_whoever_waits_is_told_that_no_worker_can_be_started(single: ProcessPool) -> None:
    dead = called(single, work.pid)
    more = MOST[Kind.COROUTINE] + 1
    waiting = [single.submit(Call(function=work.never_look)) for _ in range(more)]

    with no_more_files():
        os.kill(dead, signal.SIGKILL)
        errors = {type(each.exception(PATIENCE)) for each in waiting}

    assert errors == {WorkerDied, PoolClosed}
    assert single.join(GONE_WITHIN)
    assert children(os.getpid()) == set()


class Exiting(logging.Handler):
    """It exits, once, where something is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.codes = [3]

    def emit(self, record: logging.LogRecord) -> None:
        if self.codes:
            raise SystemExit(self.codes.pop())


@pytest.fixture
def exiting() -> Iterator[None]:
    handler = Exiting()
    logging.getLogger("panel_session_monitor").addHandler(handler)
    yield
    logging.getLogger("panel_session_monitor").removeHandler(handler)
    assert not handler.codes


def test_what_ends_the_pools_thread_ends_the_pool(pool: ProcessPool, exiting: None) -> None:
    waiting = [pool.submit(Call(function=work.never_look)) for _ in range(20)]

    def fail(_: float) -> None:
        raise ValueError

    pool.submit(Call(function=work.report, on_progress=fail))

    assert {type(each.exception(PATIENCE)) for each in waiting} <= {PoolClosed, WorkerDied}
    assert pool.closed
    assert pool.join(GONE_WITHIN)


def test_a_pool_may_be_closed_and_joined_by_what_it_calls_back(pool: ProcessPool) -> None:
    joined: list[bool] = []

    def close(_: float) -> None:
        pool.close()
        joined.append(pool.join(PATIENCE))

    before = monotonic()
    call = pool.submit(Call(function=work.report, on_progress=close))

    assert isinstance(call.exception(PATIENCE), PoolClosed)
    eventually(lambda: joined)
    assert monotonic() - before < PATIENCE
    assert pool.join(GONE_WITHIN)


# The manager


def test_a_manager_that_died_is_replaced(single: ProcessPool) -> None:
    called(single, work.double, 1)
    workers = children(os.getpid())
    first = single.manager()
    [died] = children(os.getpid()) - workers

    os.kill(died, signal.SIGKILL)

    eventually(lambda: single.manager() is not first)
    assert not single.manager().Event().is_set()


def test_a_manager_that_stands_still_is_killed(single: ProcessPool) -> None:
    called(single, work.double, 1)
    single.manager().Event()
    for child in children(os.getpid()):
        os.kill(child, signal.SIGSTOP)

    single.close()

    assert not single.join(0.5)
    assert single.join(GONE_WITHIN)
    assert children(os.getpid()) == set()


# Children of workers


@pytest.fixture
def orphan(tmp_path: Path) -> Iterator[Callable[[], int]]:
    """The child of a worker, which the worker leaves behind."""
    noted = tmp_path / "child.pid"
    yield lambda: int(noted.read_text())
    with suppress(ProcessLookupError):
        os.kill(int(noted.read_text()), signal.SIGKILL)


def test_a_worker_whose_child_lives_on_is_found_dead(
    pool: ProcessPool, tmp_path: Path, orphan: Callable[[], int]
) -> None:
    call = begun(pool, work.have_a_child, tmp_path)
    before = monotonic()

    for each in children(os.getpid()):  # both workers, whichever has the call
        os.kill(each, signal.SIGKILL)

    assert isinstance(call.exception(PATIENCE), WorkerDied)
    assert monotonic() - before < 1.0
    assert running(orphan())
    assert called(pool, work.double, 1) == 2


def test_a_worker_that_leaves_is_gone_though_its_child_lives_on(
    single: ProcessPool, tmp_path: Path, orphan: Callable[[], int]
) -> None:
    call = begun(single, work.have_a_child, tmp_path)
    [leaving] = children(os.getpid())

    call.cancel()
    assert called(single, work.double, 1) == 2
    eventually(lambda: not running(leaving))
    single.close()

    assert running(orphan())
    assert single.join(GONE_WITHIN)


def test_work_of_others_at_a_leaving_worker_that_dies_is_told(
    single: ProcessPool, tmp_path: Path, orphan: Callable[[], int]
) -> None:
    other = begun(single, work.never_look)
    stubborn = begun(single, work.have_a_child_plainly, tmp_path)
    [leaving] = children(os.getpid())

    stubborn.cancel()
    assert called(single, work.double_plainly, 1) == 2
    assert not other.done()
    os.kill(leaving, signal.SIGKILL)

    assert isinstance(other.exception(PATIENCE), WorkerDied)
    assert running(orphan())


def test_work_of_others_beside_a_coroutine_that_blocks_for_good_is_told(
    single: ProcessPool,
) -> None:
    other = begun(single, work.never_look)
    stubborn = begun(single, work.heed_no_signal)
    behind = single.submit(Call(function=work.double, args=(1,)))

    stubborn.cancel()

    assert behind.result(PATIENCE) == 2
    assert isinstance(other.exception(PATIENCE), WorkerDied)
