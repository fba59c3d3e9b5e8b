"""The worker pool of a served app: its sessions share it, and it ends with the last of them."""

import os
import signal
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from ..support.children import children, running
from ..support.processes import ROOT, Process, eventually, free_port, panel_serve, python
from .conftest import Start

pytestmark = pytest.mark.alone

CLI = "panel_session_monitor.entrypoints.cli"

GONE_WITHIN = 3.0
"""How long the workers of a pool may outlive the last kill, in seconds."""


@dataclass(frozen=True)
class World:
    """An app, its pages' address, and the API that it reports to."""

    app: Process
    page: str
    api: str

    def visit(self) -> None:
        """Open a session, and wait until its work has begun."""
        known = self.working()
        assert httpx.get(self.page, timeout=60).is_success
        eventually(lambda: len(self.working()) > len(known))

    def working(self) -> list[dict[str, Any]]:
        """Return the sessions that have work in the pool."""
        listed: list[dict[str, Any]] = httpx.get(
            f"{self.api}/sessions", params={"status": "running"}
        ).json()
        return listed


@pytest.fixture(scope="module")
def world(start: Start, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    api, app = free_port(), free_port()
    env = {
        "PSM_SERVER_URL": f"http://127.0.0.1:{api}",
        "PSM_DATABASE_URL": f"sqlite:///{folder}/world.sqlite3",
        "PSM_POOL_PROCESSES": "2",
        "PYTHONPATH": str(ROOT),
    }
    served = panel_serve("tests/e2e/apps/pooled.py", app, "--unused-session-lifetime", "600000")
    server = start(python("-m", CLI, "serve", "--port", str(api)), env)
    program = start(served, env)
    server.answers(f"http://127.0.0.1:{api}/health/ready")
    program.answers(f"http://127.0.0.1:{app}/static/js/bokeh.min.js")
    return World(program, f"http://127.0.0.1:{app}/pooled", f"http://127.0.0.1:{api}")


def test_kill_all_leaves_no_process_and_a_new_session_gets_a_new_pool(world: World) -> None:
    world.visit()
    world.visit()
    eventually(lambda: any(each["progress"] is not None for each in world.working()))
    workers = children(world.app.pid)
    assert len(workers) == 2

    killed = httpx.post(f"{world.api}/apps/pooled/kill-all").json()
    eventually(lambda: not children(world.app.pid), GONE_WITHIN)

    assert killed["kill_requested"] == 2
    world.visit()
    eventually(lambda: len(children(world.app.pid)) == 2)
    assert not children(world.app.pid) & workers


def test_an_interrupt_at_the_terminal_ends_all_of_it_quietly(world: World) -> None:
    workers = eventually(lambda: children(world.app.pid))

    os.killpg(world.app.pid, signal.SIGINT)
    world.app.wait()

    eventually(lambda: not any(running(each) for each in workers), GONE_WITHIN)
    assert "Traceback" not in world.app.output
