"""A kill whose steps are told while the app's event loop is blocked, whichever way it comes."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..support.processes import eventually, free_port, panel_serve, python
from .conftest import Start
from .test_main_job import CLI


@pytest.fixture
def without_orders() -> Iterator[http.server.ThreadingHTTPServer]:
    """A server that passes reports on to the API at its `api`, and has no order stream."""

    class Relay(http.server.BaseHTTPRequestHandler):
        server: Any

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kind = {"Content-Type": self.headers["Content-Type"]}
            answer = httpx.post(self.server.api + self.path, content=body, headers=kind)
            self.send_response(answer.status_code)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay) as relay:
        thread = threading.Thread(target=relay.serve_forever)
        thread.start()
        yield relay
        relay.shutdown()
        thread.join()


@pytest.mark.parametrize(("way", "interval"), [("stream", 30), ("heartbeats", 1)])
def test_a_kill_is_acknowledged_while_the_event_loop_is_blocked(
    start: Start, tmp_path: Path, without_orders: Any, way: str, interval: int
) -> None:
    api, port = f"http://127.0.0.1:{free_port()}", free_port()
    without_orders.api = api
    relay = f"http://127.0.0.1:{without_orders.server_port}"
    env = {
        "PSM_PORT": api.rpartition(":")[2],
        "PSM_DATABASE_URL": f"sqlite:///{tmp_path}/blocked.sqlite3",
        "PSM_HEARTBEAT_INTERVAL": str(interval),
        "PSM_SERVER_URL": api if way == "stream" else relay,
    }
    page = f"http://127.0.0.1:{port}"
    server = start(python("-m", CLI, "serve"), env)
    app = start(panel_serve("tests/e2e/apps/blocked.py", port), env)
    server.answers(f"{api}/health/ready")
    app.answers(f"{page}/static/js/bokeh.min.js")

    def told() -> dict[str, Any]:
        found: list[dict[str, Any]] = httpx.get(f"{api}/sessions").json()
        return found[0] if found else {}

    httpx.get(f"{page}/blocked").raise_for_status()
    eventually(lambda: told().get("task") == "Blocking")
    session = told()["session_id"]
    httpx.post(f"{api}/sessions/{session}/kill").raise_for_status()
    eventually(lambda: told()["kill"]["state"] == "acknowledged", patience=5)

    assert told()["task"] == "Blocking"
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{page}/static/js/bokeh.min.js", timeout=0.5)
    ended = eventually(lambda: httpx.get(f"{api}/sessions/{session}").json().get("end_reason"))
    assert ended == "killed"
    assert "Traceback" not in app.output, app.output
