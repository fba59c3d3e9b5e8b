"""The gateway against the real API, and against servers that are none."""

import http.server
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from litestar import Litestar
from litestar.testing import TestClient
from panel_session_monitor.adapters.gateway.deferred import DeferredMonitor
from panel_session_monitor.adapters.gateway.monitor import LARGEST_REPLY, HttpMonitor
from panel_session_monitor.adapters.gateway.operator import HttpOperator
from panel_session_monitor.application.app_ports import MonitorUnavailable
from panel_session_monitor.application.operator_ports import OperatorError
from panel_session_monitor.domain.report import Report
from panel_session_monitor.entrypoints.api import create
from panel_session_monitor.entrypoints.container import Service
from panel_session_monitor.entrypoints.settings import Settings

from ..contracts.monitor import MonitorContract
from ..contracts.operator import OperatorContract, Ward
from ..fakes.examples import a_process, session_id
from ..support.processes import PATIENCE, eventually, free_port

NOTHING = Report(process=a_process())


@pytest.fixture
def api(tmp_path: Path) -> Litestar:
    """The real API on a database file, within this process."""
    service = Service()
    service.settings.override(Settings.load(database_url=f"sqlite:///{tmp_path}/api.sqlite3"))
    service.keep_alive.override(lambda: 0.05)  # so that it soon finds who has hung up
    return create(service)


@pytest.fixture
def monitor(api: Litestar) -> Iterator[HttpMonitor]:
    with TestClient(api) as transport:
        transport.headers["content-type"] = "application/json"
        yield HttpMonitor("http://testserver", _client=transport)


class TestHttpMonitor(MonitorContract):
    """The server as an app sees it, over HTTP."""


@pytest.fixture
def address(api: Litestar) -> Iterator[str]:
    """The real API in a thread, on a socket: other transports wait for the end of a stream."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(api, port=port))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
async def ward(address: str) -> AsyncIterator[Ward]:
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE) as client:
        process = a_process()

        async def admit(
            number: int, *, app_name: str, user_id: str | None = None, task: str | None = None
        ) -> None:
            session = str(session_id(number))
            body = {
                "app_name": app_name,
                "user_id": user_id,
                "session_id": session,
                "process": {
                    "process_id": str(process.process_id),
                    "host": process.host,
                    "pid": process.pid,
                },
            }
            (await client.post("/sessions", json=body)).raise_for_status()
            if task:
                doing = {"status": "running", "task": task}
                (await client.put(f"/sessions/{session}/status", json=doing)).raise_for_status()

        async def leave(number: int) -> None:
            (await client.delete(f"/sessions/{session_id(number)}")).raise_for_status()

        operator = HttpOperator(address)
        yield Ward(operator=operator, admit=admit, leave=leave)
        await operator.close()


class TestHttpOperator(OperatorContract):
    """The server as an operator sees it, over HTTP."""


@contextmanager
def answering(status: int, body: bytes, **headers: str) -> Iterator[str]:
    """Run a server that gives every request the same answer."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


NONSENSE = {
    "a page": b"<h1>It works!</h1>",
    "nothing": b"",
    "another object": b"{}",
    "no UTF-8": b'{"unknown": ["\xff"]}',
    "ids that are none": b'{"kill_requested": [], "unknown": ["x"], "ended": []}',
    "no interval": b'{"kill_requested":[],"unknown":[],"ended":[],"heartbeat_interval":0}',
    "a negative interval": b'{"kill_requested":[],"unknown":[],"ended":[],"heartbeat_interval":-1}',
    "no number": b'{"kill_requested":[],"unknown":[],"ended":[],"heartbeat_interval":NaN}',
    "nested": b"[" * 100_000,
    "too much": b" " * (LARGEST_REPLY + 1),
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_is_told_in_a_line(body: bytes) -> None:
    with answering(200, body) as url, pytest.raises(MonitorUnavailable) as told:
        HttpMonitor(url).report(NOTHING)

    assert url in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("status", "retry_after", "pause"),
    [
        (503, "7", 7.0),
        (429, "7", 7.0),
        (503, "999999", 300.0),
        (503, "-1", None),
        (503, "Wed, 21 Oct 2015 07:28:00 GMT", None),
        (503, "Fri, 31 Dec 2200 23:59:59 GMT", 300.0),
        (503, "Some, 99 Day 2015 07:28:00 GMT", None),
        (500, "7", None),
        (404, "7", None),
    ],
)
def test_a_busy_server_may_ask_for_a_pause(
    status: int, retry_after: str, pause: float | None
) -> None:
    with (
        answering(status, b"", retry_after=retry_after) as url,
        pytest.raises(MonitorUnavailable) as told,
    ):
        HttpMonitor(url).report(NOTHING)

    assert told.value.retry_after == pause


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:{port}", "http://", "nonsense", "ftp://x", "http://[", "https://a b", ""],
)
def test_an_address_of_nobody_is_told_in_a_line(url: str) -> None:
    with pytest.raises(MonitorUnavailable) as told:
        DeferredMonitor(lambda: (url.format(port=free_port()), None)).report(NOTHING)

    assert "\n" not in str(told.value)


def test_a_process_keeps_its_connection_from_report_to_report() -> None:
    connections: list[object] = []

    class Keeping(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            connections.append(self.client_address)
            super().setup()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            body = b'{"kill_requested":[],"unknown":[],"ended":[]}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keeping) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monitor = HttpMonitor(f"http://127.0.0.1:{server.server_port}")
        for _ in range(3):
            monitor.report(NOTHING)
        monitor._connected().close()  # noqa: SLF001  # or a later test finds the socket open
        server.shutdown()
        thread.join()

    assert len(connections) == 1


async def test_an_operator_is_told_of_a_server_that_is_none() -> None:
    with answering(200, b"<h1>It works!</h1>") as url:
        operator = HttpOperator(url)

        with pytest.raises(OperatorError, match="is no monitor"):
            await operator.sessions()

        await operator.close()
