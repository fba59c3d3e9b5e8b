"""Real servers for the integration tests, `psm serve` on a database file, and real pools."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from panel_session_monitor.adapters.pool import ProcessPool

from ..support.children import children
from ..support.processes import ROOT, Process, free_port, python

CLI = "panel_session_monitor.entrypoints.cli"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the server; a module may ask for more."""
    folder = tmp_path_factory.mktemp("server")
    return {
        "PSM_DATABASE_URL": f"sqlite:///{folder}/sessions.sqlite3",
        "PSM_PORT": str(free_port()),
        "PSM_SERVER_URL": "",
    }


@pytest.fixture(scope="module")
def server(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The API, up and ready."""
    log = tmp_path_factory.mktemp("log") / "server.log"
    process = Process(python("-m", CLI, "serve"), log, settings)
    yield process.answers(f"http://127.0.0.1:{settings['PSM_PORT']}/health/ready")
    process.stop()
    assert "Traceback" not in process.output, process.output


@pytest.fixture
def api(server: Process, settings: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of the API."""
    with httpx.Client(base_url=f"http://127.0.0.1:{settings['PSM_PORT']}") as client:
        yield client


@pytest.fixture
def database(settings: dict[str, str]) -> Path:
    """The file behind the API."""
    return Path(settings["PSM_DATABASE_URL"].removeprefix("sqlite:///"))


POOL_GONE_WITHIN = 3.0


@pytest.fixture(scope="class")
def pools() -> Iterator[list[ProcessPool]]:
    """The pools of a class's tests, whose workers can import the tests' functions."""
    pools: list[ProcessPool] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        yield pools
    for pool in pools:
        pool.close()
    assert all(pool.join(POOL_GONE_WITHIN) for pool in pools)
    assert children(os.getpid()) == set()


@pytest.fixture
def pool(pools: list[ProcessPool]) -> ProcessPool:
    """A pool of two: the next one is started when the last was closed."""
    if not pools or pools[-1].closed:
        pools.append(ProcessPool(2))
    return pools[-1]


@pytest.fixture
def single(pools: list[ProcessPool]) -> ProcessPool:
    """A pool of one."""
    pools.append(ProcessPool(1))
    return pools[-1]


@pytest.fixture
def only_here(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A function of a module that other processes do not find, as those of a served script are."""
    module = ModuleType("only_here")
    exec("async def function(stop): pass", module.__dict__)
    monkeypatch.setitem(sys.modules, "only_here", module)
    function: Callable[..., Any] = module.function
    return function
