"""What becomes of a pool's callers when a Dask cluster fails them: they are told, in time."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from panel_session_monitor.adapters.dask import DaskPool
from panel_session_monitor.application.pool_ports import Call, PoolClosed, PoolError

from ..contracts.pool import PATIENCE, begun
from ..support import work
from ..support.cluster import DaskCluster
from ..support.processes import ROOT, Process, eventually, free_port, python

pytestmark = pytest.mark.alone

TOLD_WITHIN = 10.0
"""After what time whoever waits for a scheduler is to be told, in seconds."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    cluster = DaskCluster(tmp_path)
    yield cluster
    cluster.stop()


@pytest.fixture
def pool(cluster: DaskCluster) -> Iterator[DaskPool]:
    pool = DaskPool(cluster.address)
    yield pool
    pool.close()
    assert pool.join(PATIENCE)


def test_whoever_waits_is_told_when_the_scheduler_is_killed(
    cluster: DaskCluster, pool: DaskPool, tmp_path: Path
) -> None:
    calls = [begun(pool, work.until_stopped, tmp_path, 1)]
    calls += [pool.submit(Call(function=work.slowly, args=(number,))) for number in range(10)]

    before = monotonic()
    cluster.scheduler.send(signal.SIGKILL)
    errors = [call.exception(PATIENCE) for call in calls]

    assert monotonic() - before < TOLD_WITHIN
    assert all(f"{cluster.address} was lost" in str(error) for error in errors)
    assert {type(error) for error in errors} == {PoolClosed}
    assert pool.closed


@pytest.mark.long
def test_whoever_waits_is_told_when_the_scheduler_answers_no_more(
    cluster: DaskCluster, pool: DaskPool, tmp_path: Path
) -> None:
    call = begun(pool, work.until_stopped, tmp_path, 1)

    before = monotonic()
    cluster.scheduler.send(signal.SIGSTOP)
    error = call.exception(PATIENCE)
    cluster.scheduler.send(signal.SIGCONT)

    assert monotonic() - before < TOLD_WITHIN
    assert "was lost" in str(error)
    assert isinstance(error, PoolClosed)


def test_a_scheduler_that_nobody_started_is_told_in_time() -> None:
    before = monotonic()
    pool = DaskPool(f"tcp://127.0.0.1:{free_port()}")

    error = pool.submit(Call(function=work.double, args=(1,))).exception(PATIENCE)

    assert monotonic() - before < TOLD_WITHIN
    assert isinstance(error, PoolError)
    assert "cannot be used" in str(error)
    assert pool.join(PATIENCE)


@pytest.mark.long
def test_a_server_that_is_no_scheduler_is_told_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        before = monotonic()
        pool = DaskPool(f"tcp://127.0.0.1:{silent.getsockname()[1]}")

        error = pool.submit(Call(function=work.double, args=(1,))).exception(PATIENCE)

        assert monotonic() - before < TOLD_WITHIN
        assert "cannot be used" in str(error)
        assert pool.join(PATIENCE)


def test_a_pool_may_be_closed_before_it_has_found_its_scheduler() -> None:
    pool = DaskPool(f"tcp://127.0.0.1:{free_port()}")
    call = pool.submit(Call(function=work.double, args=(1,)))

    before = monotonic()
    pool.close()

    assert isinstance(call.exception(0.1), PoolClosed)
    assert monotonic() - before < 0.1
    assert pool.join(PATIENCE)


@pytest.mark.long
def test_the_work_of_an_app_that_is_killed_is_told_to_stop(
    cluster: DaskCluster, pool: DaskPool, tmp_path: Path
) -> None:
    app = Process(
        python(Path(work.__file__).parent / "dask_script.py", tmp_path),
        tmp_path / "app.log",
        {"PYTHONPATH": str(ROOT), "PSM_POOL_URL": cluster.address},
    )
    eventually(lambda: "working" in app.output)

    app.send(signal.SIGKILL)

    eventually(lambda: work.notes(tmp_path))
    app.stop()
