"""An app whose sessions share a worker pool, and the API that it reports to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from .processes import ROOT, Process, free_port, panel_serve, python

CLI = "panel_session_monitor.entrypoints.cli"

GONE_WITHIN = 3.0
"""How long the workers of a pool may outlive the last kill, in seconds."""

Start = Callable[[Sequence[str | Path], Mapping[str, str]], Process]


@dataclass(frozen=True)
class World:
    """The app, its page's address, and the API's."""

    app: Process
    page: str
    api: str

    def working(self) -> list[dict[str, Any]]:
        """Return the sessions that have work in the pool."""
        listed: list[dict[str, Any]] = httpx.get(
            f"{self.api}/sessions", params={"status": "running"}
        ).json()
        return listed

    def session(self, session: str) -> dict[str, Any]:
        """Return what the API tells of a session, live or ended."""
        shown: dict[str, Any] = httpx.get(f"{self.api}/sessions/{session}").json()
        return shown


def serve(start: Start, folder: Path, script: str, *options: str, processes: int) -> World:
    """Start both, with so many processes in the pool."""
    api, app = free_port(), free_port()
    env = {
        "PSM_SERVER_URL": f"http://127.0.0.1:{api}",
        "PSM_DATABASE_URL": f"sqlite:///{folder}/world.sqlite3",
        "PSM_HEARTBEAT_INTERVAL": "2",
        "PSM_POOL_PROCESSES": str(processes),
        "PYTHONPATH": str(ROOT),
    }
    origin = f"--allow-websocket-origin=127.0.0.1:{app}"
    server = start(python("-m", CLI, "serve", "--port", str(api)), env)
    program = start(panel_serve(script, app, origin, *options), env)
    server.answers(f"http://127.0.0.1:{api}/health/ready")
    program.answers(f"http://127.0.0.1:{app}/static/js/bokeh.min.js")
    return World(program, f"http://127.0.0.1:{app}/{Path(script).stem}", f"http://127.0.0.1:{api}")
