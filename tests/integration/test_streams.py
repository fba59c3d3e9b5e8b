"""The two event streams of a real server: orders for a process, changes for those who watch."""

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from panel_session_monitor.adapters.http.event_stream import FAREWELL, KEEP_ALIVE, OPENED
from panel_session_monitor.entrypoints.api import create
from panel_session_monitor.entrypoints.container import Service
from panel_session_monitor.entrypoints.settings import Settings

from ..support.processes import PATIENCE, Process, eventually, free_port, python
from ..support.streams import after, following
from .conftest import CLI

Json = dict[str, Any]

MEBIBYTE = 1 << 20

SOMEBODY = str(UUID(int=7))
"""A process that nobody has heard of."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server of the test's own."""

    process: Process
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def resident(self) -> int:
        """Its resident memory, in bytes."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGESIZE")


Start = Callable[[], Running]


class Served:
    """A process that serves sessions of an app of its own."""

    def __init__(self, api: httpx.Client) -> None:
        self.api = api
        self.process_id = str(uuid4())
        self.app_name = f"app-{uuid4()}"
        self.orders = f"/processes/{self.process_id}/orders"

    def open(self) -> str:
        """Register a session."""
        process = {"process_id": self.process_id, "host": "node-a", "pid": 4711}
        answer = self.api.post("/sessions", json={"app_name": self.app_name, "process": process})
        return str(answer.json()["session_id"])

    def kill(self, session: str, reason: str | None = None) -> Json:
        """Order the end of a session."""
        order: Json = self.api.post(f"/sessions/{session}/kill", json={"reason": reason}).json()
        return {"session_id": session, "kill_id": order["kill_id"], "reason": reason}

    def killed(self, reason: str | None = None) -> Json:
        """Order the end of a new session."""
        return self.kill(self.open(), reason)

    def report(self, **news: Any) -> None:
        """Send a report."""
        body = {"process_id": self.process_id, "session_ids": []} | news
        self.api.post("/heartbeats", json=body).raise_for_status()


@pytest.fixture
def served(api: httpx.Client) -> Served:
    return Served(api)


# Orders -----------------------------------------------------------------------------------------


async def test_an_order_arrives_with_its_reason(served: Served) -> None:
    session = served.open()

    async with following(served.api.base_url, served.orders) as stream:
        order = served.kill(session, "maintenance")
        event = await stream.next()

    assert (event.event, event.id) == ("kill", order["kill_id"])
    assert json.loads(event.data) == order


async def test_the_answer_is_made_for_streams(served: Served) -> None:
    async with following(served.api.base_url, served.orders) as stream:
        headers = stream.response.headers

    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"


async def test_orders_given_before_the_stream_opens_come_first(served: Served) -> None:
    early = [served.killed() for _ in range(3)]

    async with following(served.api.base_url, served.orders) as stream:
        late = served.killed()
        came = await stream.data(4)

    assert came == [*early, late]


async def test_every_stream_of_a_process_gets_the_order_and_no_other_processs(
    served: Served, api: httpx.Client
) -> None:
    other = Served(api)

    async with (
        following(api.base_url, served.orders) as one,
        following(api.base_url, served.orders) as two,
        following(api.base_url, other.orders) as foreign,
    ):
        order, foreign_order = served.killed(), other.killed()
        came = await one.data() + await two.data() + await foreign.data()

    assert came == [order, order, foreign_order]


async def test_who_comes_again_gets_only_what_it_has_not_had(served: Served) -> None:
    orders = [served.killed() for _ in range(3)]

    async with following(served.api.base_url, served.orders, after(orders[1]["kill_id"])) as stream:
        late = served.killed()
        came = await stream.data(2)

    assert came == [orders[2], late]


async def test_what_was_delivered_does_not_come_again(served: Served) -> None:
    delivered, waiting = served.killed(), served.killed()
    step = {"session_id": delivered["session_id"], "kill_id": delivered["kill_id"]}
    served.report(kill_steps=[step | {"state": "delivered"}])

    async with following(served.api.base_url, served.orders) as stream:
        came = await stream.data()

    assert came == [waiting]


async def test_a_kill_of_all_reaches_every_session_once(served: Served) -> None:
    sessions = {served.open() for _ in range(20)}

    async with following(served.api.base_url, served.orders) as stream:
        served.api.post(f"/apps/{served.app_name}/kill-all", json={"reason": "Noon"})
        came = await stream.data(20)

    assert {each["session_id"] for each in came} == sessions
    assert [each["kill_id"] for each in came] == sorted(each["kill_id"] for each in came)
    assert {each["reason"] for each in came} == {"Noon"}


@pytest.mark.parametrize(
    ("process", "last", "status"),
    [("not-a-uuid", None, 404), ("%00", None, 404), (SOMEBODY, "nonsense", 400)],
)
def test_nonsense_opens_no_stream(
    api: httpx.Client, process: str, last: str | None, status: int
) -> None:
    answer = api.get(f"/processes/{process}/orders", headers=after(last) if last else None)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


# Changes ----------------------------------------------------------------------------------------


async def test_the_life_of_a_session_is_told_step_by_step(served: Served) -> None:
    api = served.api

    async with following(api.base_url, "/events") as stream:
        order = served.kill(session := served.open(), "maintenance")
        step = {"session_id": session, "kill_id": order["kill_id"]}
        api.put(f"/sessions/{session}/status", json={"status": "running", "task": "Load"})
        served.report(kill_steps=[step | {"state": "delivered"}])
        served.report(kill_steps=[step | {"state": "acknowledged"}])
        api.delete(f"/sessions/{session}")
        told = [each for each in await stream.data(6) if each["session_id"] == session]

    kills = [each["kill"] and each["kill"]["state"] for each in told]
    assert kills == [None, "requested", "requested", "delivered", "acknowledged", "ended"]
    assert [each["status"] for each in told][:3] == ["idle", "idle", "running"]
    assert [each.get("end_reason") for each in told] == [None] * 5 + ["killed"]
    assert told[-1].keys() == api.get(f"/sessions/{session}").json().keys()


async def test_heartbeats_are_told_by_the_process_or_by_the_session(served: Served) -> None:
    session = served.open()

    async with following(served.api.base_url, "/events") as stream:
        served.api.post(f"/sessions/{session}/heartbeat")
        single = await stream.next()
        served.report(session_ids=[session])
        served.report(session_ids=[session])
        whole = [await stream.next() for _ in range(2)][-1]

    assert (single.event, whole.event) == ("heartbeats", "heartbeats")
    assert json.loads(single.data)["session_ids"] == [session]
    assert json.loads(whole.data)["process_ids"] == [served.process_id]
    assert (
        served.api.get(f"/sessions/{session}").json()["last_heartbeat"]
        == json.loads(whole.data)["at"]
    )


async def test_a_list_and_the_stream_after_it_leave_no_gap(served: Served) -> None:
    before = served.open()
    listed = served.api.get("/sessions", params={"app_name": served.app_name})
    between = served.open()

    async with following(
        served.api.base_url, "/events", after(listed.headers["Last-Event-ID"])
    ) as stream:
        told = [each["session_id"] for each in await stream.data()]

    assert [each["session_id"] for each in listed.json()] == [before]
    assert told == [between]


async def test_a_browser_begins_with_the_query_and_comes_again_with_the_header(
    served: Served,
) -> None:
    position = served.api.get("/sessions").headers["Last-Event-ID"]
    first, second = served.open(), served.open()

    async with following(served.api.base_url, f"/events?after={position}") as stream:
        event = await stream.next()
    async with following(
        served.api.base_url, f"/events?after={position}", after(event.id)
    ) as stream:
        again = await stream.data()

    assert json.loads(event.data)["session_id"] == first
    assert [each["session_id"] for each in again] == [second]


async def test_a_reader_that_keeps_coming_again_misses_and_repeats_nothing(
    served: Served,
) -> None:
    position = served.api.get("/sessions").headers["Last-Event-ID"]
    told: list[str] = []

    with ThreadPoolExecutor(1) as aside:
        registered = aside.map(lambda _: served.open(), range(200))
        while len(told) < 200:
            async with following(served.api.base_url, "/events", after(position)) as stream:
                for _ in range(min(30, 200 - len(told))):
                    event = await stream.next()
                    position = event.id
                    told.append(json.loads(event.data)["session_id"])

    assert told == list(registered)


@pytest.mark.parametrize("last", ["nonsense", f"{UUID(int=5).hex}-3"])
async def test_a_reader_from_nowhere_must_look_anew_and_goes_on(served: Served, last: str) -> None:
    async with following(served.api.base_url, "/events", after(last)) as stream:
        gap = await stream.next()
        session = served.open()
        told = await stream.data()

    assert (gap.event, gap.data) == ("resync", "{}")
    assert [each["session_id"] for each in told] == [session]


# Many, slow, and the server's end ---------------------------------------------------------------


@contextmanager
def open_streams(port: int, path: str, count: int) -> Iterator[list[socket.socket]]:
    """Streams on bare sockets, each with a small buffer, which nobody reads."""
    with ExitStack() as stack:
        streams = [stack.enter_context(socket.socket()) for _ in range(count)]
        for stream in streams:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stream.settimeout(PATIENCE)
            stream.connect(("127.0.0.1", port))
            stream.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        for stream in streams:
            assert stream.recv(12) == b"HTTP/1.1 200"
        yield streams


def read_until(text: bytes, stream: socket.socket) -> bytes:
    """Read a stream until it has said something."""
    said = b""
    while text not in said:
        said += stream.recv(1 << 16)
    return said


def rest_of(stream: socket.socket) -> bytes:
    """Read a stream to its end."""
    return b"".join(iter(lambda: stream.recv(1 << 16), b""))


@pytest.fixture
def start(settings: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Starts a server of the test's own, again and again on one database."""
    running: list[Running] = []

    def begin() -> Running:
        port = free_port()
        own = {"PSM_PORT": str(port), "PSM_DATABASE_URL": f"sqlite:///{tmp_path}/own.sqlite3"}
        log = tmp_path / f"server-{len(running)}.log"
        process = Process(python("-m", CLI, "serve"), log, settings | own)
        running.append(Running(process, port))
        process.answers(f"{running[-1].url}/health/ready")
        return running[-1]

    yield begin
    for server in running:
        server.process.stop()
        assert "Traceback" not in server.process.output, server.process.output


def test_a_server_that_is_told_to_stop_ends_all_streams_at_once(start: Start) -> None:
    server = start()

    with (
        open_streams(server.port, f"/processes/{uuid4()}/orders", 150) as orders,
        open_streams(server.port, "/events", 50) as changes,
    ):
        told = monotonic()
        server.process.send(signal.SIGTERM)
        ends = [rest_of(stream) for stream in orders + changes]
        ended = monotonic()

    assert ended - told < 1.0
    assert all(FAREWELL in each for each in ends)
    assert server.process.wait() in (0, -signal.SIGTERM)


async def test_a_new_server_does_not_know_the_positions_of_the_old_one(start: Start) -> None:
    old = start()
    async with following(old.url, "/events") as stream:
        with httpx.Client(base_url=old.url) as api:
            Served(api).open()
        position = (await stream.next()).id
    old.process.stop()

    async with following(start().url, "/events", after(position)) as stream:
        assert (await stream.next()).event == "resync"


def test_a_reader_that_does_not_read_costs_little_and_must_look_anew(start: Start) -> None:
    server = start()

    with (
        httpx.Client(base_url=server.url, timeout=PATIENCE) as api,
        open_streams(server.port, "/events", 50) as streams,
    ):
        crowd = [str(uuid4()) for _ in range(4_000)]
        registrations = [{"session_id": each, "app_name": "crowd"} for each in crowd]
        served, sizes = Served(api), []
        for _ in range(6):
            served.report(registrations=registrations)
            sizes.append(server.resident)
        told = read_until(b"event: resync", streams[0])

    assert told.count(b"event: session") < 6 * 4_000
    assert sizes[-1] - sizes[2] < 50 * MEBIBYTE


# A server in this process, which can be looked into ---------------------------------------------


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """The container of a server whose silent streams speak twenty times a second."""
    service = Service()
    url, port = f"sqlite:///{tmp_path}/inside.sqlite3", free_port()
    service.settings.override(Settings.load(database_url=url, port=port))
    service.keep_alive.override(lambda: 0.05)
    server = uvicorn.Server(uvicorn.Config(create(service), port=port))
    thread = threading.Thread(target=server.run)
    thread.start()
    eventually(lambda: server.started)
    yield service
    server.should_exit = True
    thread.join()
    service.reset_singletons()


def test_streams_whose_clients_have_left_are_forgotten(service: Service) -> None:
    kills = service.kills()

    with open_streams(service.settings().port, f"/processes/{uuid4()}/orders", 10):
        assert kills.listeners == 10

    eventually(lambda: kills.listeners == 0)


@pytest.mark.parametrize("path", ["/events", f"/processes/{SOMEBODY}/orders"])
def test_a_silent_stream_says_that_it_lives(service: Service, path: str) -> None:
    said = b""

    with open_streams(service.settings().port, path, 1) as (stream,):
        while said.count(KEEP_ALIVE) < 3:
            said += stream.recv(1 << 16)

    assert said.count(OPENED) == 1
