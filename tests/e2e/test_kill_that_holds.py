"""A killed session is closed with the reason, destroyed in time, and stays dead.

It leans on what Bokeh keeps private: a new Bokeh that changes it breaks here first.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time

import pytest
from playwright.sync_api import Page, expect
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.typing import Origin, Subprotocol
from websockets.uri import parse_uri

from .apps.served import Served, closings, serve, shown_session
from .conftest import Start

REASON = "Session terminated by administrator"


@pytest.fixture(scope="module")
def servers(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Served]]:
    running = {  # with Bokeh's own lifetime of unused sessions, which a kill does not wait for
        name: serve(start, tmp_path_factory.mktemp(name), unused=15_000, options=options)
        for name, options in {"tornado": "", "fastapi": "fastapi"}.items()
    }
    for server in running.values():
        server.answers()
    yield running
    for server in running.values():
        assert "Traceback" not in server.process.output, server.process.output


@pytest.fixture(params=["tornado", "fastapi"])
def server(request: pytest.FixtureRequest, servers: dict[str, Served]) -> Served:
    return servers[request.param]


class MutePeer:
    """A WebSocket client that reads everything and answers nothing, not even a close."""

    def __init__(self, connection: socket.socket, port: int, token: str) -> None:
        self._connection = connection
        self._protocol = ClientProtocol(
            parse_uri(f"ws://127.0.0.1:{port}/endings/ws"),
            origin=Origin(f"http://127.0.0.1:{port}"),
            subprotocols=[Subprotocol("bokeh"), Subprotocol(token)],
        )
        self._protocol.send_request(self._protocol.connect())
        connection.sendall(b"".join(self._protocol.data_to_send()))

    def joined(self) -> None:
        """Wait for the server's first message."""
        while not any(map(is_message, self._protocol.events_received())):
            self._read()

    def closed(self) -> tuple[int, str, float]:
        """Wait for the close frame; return its code, its reason and when it came."""
        while (close := self._protocol.close_rcvd) is None:
            self._read()
        return close.code, close.reason, time()

    def _read(self) -> None:
        data = self._connection.recv(65536)
        assert data, "the server hung up"
        self._protocol.receive_data(data)


def is_message(event: object) -> bool:
    return isinstance(event, Frame) and event.opcode is Opcode.TEXT


@contextmanager
def mute_peer(server: Served, token: str) -> Iterator[MutePeer]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        yield MutePeer(connection, server.port, token)


@pytest.mark.parametrize("reconnect", ["false", "true", "prompt"])
def test_a_killed_page_is_told_why_and_stays_dead(
    server: Served, page: Page, reconnect: str
) -> None:
    session = server.open(page, reconnect=reconnect)

    server.kill(session, REASON)

    [closing] = closings(page, 1)
    assert (closing["code"], closing["reason"]) == (1001, REASON)
    destroyed = server.when("destroyed", session)
    assert destroyed - closing["at"] == pytest.approx(0.5, abs=0.2)
    server.when("over", session)
    expect(page.locator(".notyf__message", has_text="This session has been ended.")).to_be_visible()
    assert len(closings(page, 1)) == 1  # it has not even tried to come back
    if reconnect != "false":
        page.get_by_text("Click here").click()
        assert [(each["code"], each["reason"]) for each in closings(page, 2)] == [
            (1001, REASON),
            (1001, REASON),
        ]
    assert len(server.events("created", session)) == 1
    assert len(server.events("over", session)) == 1

    page.reload()
    assert shown_session(page) != session


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (REASON, REASON),
        ("ü" * 62, "ü" * 60 + "…"),  # 124 bytes, where a close frame holds 123
    ],
)
def test_a_peer_that_never_answers_neither_holds_the_session_nor_brings_it_back(
    server: Served, reason: str, told: str
) -> None:
    session, token = server.load()
    with mute_peer(server, token) as peer:
        peer.joined()

        server.kill(session, reason)

        *closing, closed_at = peer.closed()
        assert closing == [1001, told]
        assert server.when("destroyed", session) - closed_at == pytest.approx(0.5, abs=0.2)
    with mute_peer(server, token) as returning:
        assert returning.closed()[:2] == (1001, told)
    assert len(server.events("created", session)) == 1
    assert len(server.events("over", session)) == 1


def test_a_page_that_joins_a_session_being_ended_is_turned_away(server: Served) -> None:
    session, token = server.load()

    server.kill(session, REASON)
    server.when("end returned", session)
    with mute_peer(server, token) as late:
        assert late.closed()[:2] == (1001, REASON)

    server.when("over", session)


def test_a_callback_that_keeps_the_lock_does_not_hold_the_session(
    server: Served, page: Page
) -> None:
    session = server.open(page)
    page.get_by_role("button", name="Keep the lock").click()
    server.when("locked", session)

    server.kill(session, REASON)

    closed_at = closings(page, 1)[0]["at"]
    assert server.when("destroyed", session) - closed_at == pytest.approx(0.6, abs=0.2)


def test_an_id_that_the_page_itself_brings_is_not_banned(servers: dict[str, Served]) -> None:
    server = servers["tornado"]
    own_id = {"bokeh-session-id": "chosen"}
    server.load(**own_id)

    server.kill("chosen", REASON)
    server.when("end returned", "chosen")
    _, token = server.load(**own_id)

    assert len(server.events("created", "chosen")) == 2
    assert server.events("created")[-1]["at"] > server.when("destroyed", "chosen")
    with mute_peer(server, token) as peer:
        peer.joined()


def test_a_ping_of_bokehs_between_the_close_and_the_end_leaves_no_trouble(
    start: Start, tmp_path: Path
) -> None:
    server = serve(start, tmp_path, unused=15_000, options="--keep-alive 50")
    server.answers()
    session, token = server.load()
    with mute_peer(server, token) as peer:
        peer.joined()

        server.kill(session, REASON)

        server.when("destroyed", session)
    server.load()  # it goes on serving
    assert "Traceback" not in server.process.output, server.process.output
