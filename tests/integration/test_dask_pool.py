"""The worker pool on a Dask cluster: a real one, of processes."""

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from distributed import LocalCluster
from panel_session_monitor.adapters.dask import DaskPool

from ..contracts.pool import PATIENCE, ProcessesContract
from ..support.processes import ROOT

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two workers, which import the tests' functions by their names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        with LocalCluster(
            n_workers=2, threads_per_worker=4, processes=True, dashboard_address=None
        ) as cluster:
            yield cluster


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


@pytest.fixture
def only_here(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A function of a module that other processes do not find, as those of a served script are."""
    module = ModuleType("only_here")
    exec("async def function(stop): pass", module.__dict__)
    monkeypatch.setitem(sys.modules, "only_here", module)
    function: Callable[..., Any] = module.function
    return function


class TestDaskPool(ProcessesContract):
    """Dask's workers."""
