"""The monitor is stopped, hangs or talks nonsense: the app works as if it were not there."""

import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import monotonic

import httpx
import pytest
from playwright.sync_api import Page, expect

from ..support.processes import Process, eventually, free_port, panel_serve, python
from .conftest import Start
from .test_main_job import CLI, DEMO, opened

INTERVAL = 2.0


@contextmanager
def nobody(_: int) -> Iterator[None]:
    """Nothing listens."""
    yield


@contextmanager
def black_hole(port: int) -> Iterator[None]:
    """Connections are taken, and nothing ever comes back."""
    with socket.create_server(("127.0.0.1", port)):
        yield


@contextmanager
def nonsense(port: int) -> Iterator[None]:
    """Every request is answered with success and a page of something else."""

    class Talk(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<h1>It works!</h1>" * 1000)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Talk) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "away",
    [nobody, *(pytest.param(each, marks=pytest.mark.long) for each in (black_hole, nonsense))],
)
def test_an_app_works_while_the_monitor_is_away_and_is_listed_when_it_is_back(
    start: Start, tmp_path: Path, page: Page, away: Callable[[int], AbstractContextManager[None]]
) -> None:
    port, monitor = free_port(), free_port()
    api = f"http://127.0.0.1:{monitor}"
    env = {
        "PSM_SERVER_URL": api,
        "PSM_PORT": str(monitor),
        "PSM_DATABASE_URL": f"sqlite:///{tmp_path}/away.sqlite3",
        "PSM_HEARTBEAT_INTERVAL": str(INTERVAL),
    }
    with away(monitor):
        origin = f"--allow-websocket-origin=127.0.0.1:{port}"
        app: Process = start(panel_serve(DEMO, port, origin), env)
        app.answers(f"http://127.0.0.1:{port}/static/js/bokeh.min.js")
        asked = monotonic()
        session = opened(page, f"http://127.0.0.1:{port}/task_runner")
        seen = monotonic()
        page.get_by_role("button", name="5 seconds").click()
        expect(page.get_by_text("5 seconds: done.")).to_be_visible(timeout=20_000)
        page.get_by_role("button", name="30 seconds").click()
        assert app.output.count("session monitor") == 1, app.output
    assert "Traceback" not in app.output, app.output

    start(python("-m", CLI, "serve"), env).answers(f"{api}/health/ready")
    back = monotonic()
    shown = eventually(lambda: httpx.get(f"{api}/sessions").json(), 2 * INTERVAL + 5)[0]

    assert monotonic() - back <= 2 * INTERVAL + 5  # the client's own time-out is 5 seconds
    assert shown["session_id"] == session
    assert shown["status"] == "running"
    age = shown["duration_seconds"]
    assert monotonic() - seen - 1 < age < monotonic() - asked + 1
    assert app.output.count("session monitor") <= 2
