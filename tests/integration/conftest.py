"""Real servers for the integration tests: `psm serve` on a database file of its own."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ..support.processes import Process, free_port, python

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
    assert "Traceback" not in process.output


@pytest.fixture
def api(server: Process, settings: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of the API."""
    with httpx.Client(base_url=f"http://127.0.0.1:{settings['PSM_PORT']}") as client:
        yield client


@pytest.fixture
def database(settings: dict[str, str]) -> Path:
    """The file behind the API."""
    return Path(settings["PSM_DATABASE_URL"].removeprefix("sqlite:///"))
