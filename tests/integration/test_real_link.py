"""The link with all that is real: its threads, the gateway, the figures of its own process."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, ClassVar

import httpx
import pytest
from panel_session_monitor.adapters.clock import SystemClock, TimeOrderedIds
from panel_session_monitor.adapters.gateway.monitor import HttpMonitor
from panel_session_monitor.adapters.process import Script, this_process
from panel_session_monitor.adapters.vitals import STATM, ProcessVitals
from panel_session_monitor.application.link import Link
from panel_session_monitor.application.tracking import Tracking

from ..support.processes import eventually

APP = """
from panel_session_monitor import SessionClient
tracker = SessionClient.get_tracker("figures", heartbeat_interval=0.2)
print("ready", flush=True)
input()
"""


@pytest.mark.skipif(not STATM.exists(), reason="only Linux tells")
def test_a_process_shows_its_true_figures(api: httpx.Client) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", APP],
        env={"PSM_SERVER_URL": str(api.base_url)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as app:

        def told() -> Any:
            found = [each for each in api.get("/processes").json() if each["pid"] == app.pid]
            return found[0] if found and found[0]["connected"] else None

        figures = eventually(told)
        app.communicate(b"\n")

    assert 1 << 23 < figures["rss_bytes"] < 1 << 30
    assert 0 <= figures["cpu_percent"] < 1_000
    assert figures["version"] == version("panel-session-monitor")[:40]
    assert figures["loop_lag_seconds"] is None


@contextmanager
def pushing(body: bytes, kind: str) -> Iterator[tuple[str, list[str]]]:
    """Run a server that takes reports and answers a request for orders with nonsense."""

    class Answer(http.server.BaseHTTPRequestHandler):
        asked: ClassVar[list[str]] = []

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            reply = b'{"kill_requested":[],"unknown":[],"ended":[],"heartbeat_interval":0.1}'
            self.answer("application/json", reply)

        def do_GET(self) -> None:
            self.asked.append(self.path)
            self.answer(kind, body)

        def answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", Answer.asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<h1>It works!</h1>", "text/html"),
        (b"event: kill\ndata: {}\n\n", "text/event-stream"),
        (b"event: kill\ndata: [", "text/event-stream"),
        (b"data: x\n" * 20_000, "text/event-stream"),
    ],
    ids=["a page", "no order", "half an order", "no end"],
)
def test_a_server_that_pushes_nonsense_is_warned_of_once_and_still_gets_the_reports(
    body: bytes, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pushing(body, kind) as (url, asked):
        clock, ids = SystemClock(), TimeOrderedIds()
        link = Link(
            tracking=Tracking(this_process(ids), clock, ids),
            monitor=HttpMonitor(url),
            clock=clock,
            vitals=ProcessVitals(clock),
            random=lambda: 0.1,
        )
        link.tracking.open("sales", None, Script(lambda: None))

        eventually(lambda: len(asked) >= 4)

        online = link.online
        link.shut_down()

    warnings = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert online
    assert len(warnings) == 1
    assert "does not push orders" in warnings[0]
