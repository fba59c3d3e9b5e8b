"""The order stream over HTTP, from servers that misbehave in every way there is."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic, thread_time
from typing import Any
from uuid import UUID

import httpcore
import httpx
import pytest
from panel_session_monitor.adapters.gateway.monitor import HttpMonitor
from panel_session_monitor.adapters.gateway.orders import (
    LARGEST_EVENT,
    SILENCE,
    hang_up,
    read_orders,
)
from panel_session_monitor.application.app_ports import MonitorUnavailable, MonitorUnreachable
from panel_session_monitor.domain.ids import KillId, SessionId
from panel_session_monitor.domain.report import Instruction, Order
from panel_session_monitor.entrypoints.container import KEEP_ALIVE_WITHIN

from ..contracts.orders import Desk, OrdersContract
from ..fakes.examples import a_kill, a_process, session_id
from ..support.processes import eventually, free_port
from ..support.servers import STREAM, Answer, answering, saying

PROCESS = a_process().process_id
KILL = a_kill().kill_id
ORDER = Order(session_id=session_id(), kill_id=KILL, reason="maintenance")


def frame(
    event: str = "kill", session: object = ORDER.session_id, kill: object = KILL, line: str = "\n"
) -> bytes:
    """Return an order as it travels."""
    data = f'{{"session_id": "{session}", "kill_id": "{kill}", "reason": "maintenance"}}'
    return line.join([f"event: {event}", f"id: {kill}", f"data: {data}", "", ""]).encode()


@pytest.fixture
def desk(api: httpx.Client) -> Desk:
    def kill(session: SessionId) -> KillId:
        answer = api.post(f"/sessions/{session}/kill").raise_for_status()
        return KillId(UUID(answer.json()["kill_id"]))

    return Desk(HttpMonitor(str(api.base_url)), kill)


class TestHttpMonitorsOrders(OrdersContract):
    """The orders of the real server, over HTTP."""


def orders_from(
    answer: Answer, after: KillId | None = None
) -> tuple[list[Instruction | None], str]:
    """Return what a stream gives until it ends, and the request for it."""
    with answering(answer) as server:
        given = list(HttpMonitor(server.url, "secret").orders(PROCESS, after))
    return given, server.requests[0].lower()


def test_orders_come_as_they_are_written_and_the_stream_says_when_it_stands() -> None:
    others = [Order(session_id=session_id(n), kill_id=a_kill(n).kill_id) for n in (2, 3)]
    rest = b"".join(
        b'event: kill\ndata: {"session_id":"%b","kill_id":"%b","reason":null}\n\n'
        % (str(each.session_id).encode(), str(each.kill_id).encode())
        for each in others
    )
    given, request = orders_from(saying(STREAM, b": open\n", frame(), b": keep-alive\n", rest))

    assert given == [None, ORDER, *others]
    assert request.startswith(f"get /processes/{PROCESS}/orders ")
    assert "authorization: bearer secret" in request
    assert "accept: text/event-stream" in request
    assert "last-event-id" not in request


def test_a_stream_is_resumed_after_the_last_order() -> None:
    _, request = orders_from(saying(STREAM), after=KILL)

    assert f"last-event-id: {KILL}" in request


@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_an_order_may_come_byte_by_byte(line: str) -> None:
    whole = frame(line=line)

    given, _ = orders_from(saying(STREAM, *(whole[at : at + 1] for at in range(len(whole)))))

    assert given == [None, ORDER]


def test_half_an_order_is_none_and_no_good_end() -> None:
    whole = frame()

    for end in (1, len(whole) // 2, len(whole) - 1):
        with answering(saying(STREAM, whole[:end])) as server:
            orders = HttpMonitor(server.url).orders(PROCESS)
            assert next(orders) is None
            with pytest.raises(MonitorUnavailable, match="breaks off within an event"):
                next(orders)


def test_an_end_between_two_orders_is_a_good_one() -> None:
    assert orders_from(saying(STREAM, frame(), b": the server stops\n"))[0] == [None, ORDER]


def test_bytes_that_are_no_utf_8_do_not_stop_a_kill() -> None:
    given, _ = orders_from(saying(STREAM, frame().replace(b"maintenance", b"maint\xffnance")))

    assert isinstance(given[1], Order)
    assert given[1].kill_id == KILL


def test_keep_alive_comments_are_nothing_that_piles_up() -> None:
    comment = b": keep-alive\n" * 1000

    given, _ = orders_from(saying(STREAM, *[comment] * 10, frame()))

    assert given == [None, ORDER]


@pytest.mark.parametrize(
    "end", [b": the server st", b"retry: 1000\n", b"retry: 10", b": keep-alive\n: the"]
)
def test_an_end_within_what_is_no_event_is_a_good_one(end: bytes) -> None:
    assert orders_from(saying(STREAM, frame(), end))[0] == [None, ORDER]


def test_a_stream_may_begin_with_a_mark_of_its_byte_order() -> None:
    mark = "\ufeff".encode()

    assert orders_from(saying(STREAM, mark))[0] == [None]
    assert orders_from(saying(STREAM, mark[:1], mark[1:] + frame()))[0] == [None, ORDER]


@pytest.mark.parametrize("end", ["\n\r\n", "\r\n\n", "\r\r\n", "\n\r", "\r\r"])
def test_lines_may_end_in_any_way(end: str) -> None:
    one = frame().removesuffix(b"\n\n") + end.encode()

    given, _ = orders_from(saying(STREAM, *[one] * 1_000))

    assert given == [None, *[ORDER] * 1_000]


def reading(line: int) -> float:
    """Return how long it takes to read a line that comes byte by byte, in seconds of the CPU."""
    bytewise = (b"x" for _ in range(line))
    kind = {"content-type": "text/event-stream"}
    response = httpx.Response(200, headers=kind, stream=Bytewise(bytewise))
    begun = thread_time()
    with suppress(httpx.DecodingError):
        list(read_orders(response))
    return thread_time() - begun


class Bytewise(httpx.SyncByteStream):
    """A stream of such parts."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return self._parts


def test_reading_a_long_line_takes_no_more_than_its_share_of_time() -> None:
    short, long = (min(reading(line) for _ in range(3)) for line in (8_000, 64_000))

    assert long / short < 8 * 4  # a share would be 8, its square 64


def head(status: str = "200 OK", kind: str = "text/event-stream", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


NONSENSE = {
    "another kind": saying(STREAM, frame("promote")),
    "no id": saying(STREAM, frame(session="x")),
    "no kill id": saying(STREAM, frame(kill="x")),
    "no JSON": saying(STREAM, b"event: kill\ndata: {\n\n"),
    "no object": saying(STREAM, b"event: kill\ndata: 5\n\n"),
    "nested": saying(STREAM, b"event: kill\ndata: " + b"[" * 50_000 + b"\n\n"),
    "a page": saying(head(kind="text/html"), frame()),
    "no type": saying(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", frame()),
    "packed": saying(head(content_encoding="gzip"), frame()),
    "not found": saying(head("404 Not Found")),
    "broken": saying(head("500 Internal Server Error")),
    "elsewhere": saying(head("302 Found", location="/")),
    "a long line": saying(STREAM, *[b"x" * 65_536] * 160),
    "a long comment": saying(STREAM, b":", *[b"x" * 65_536] * 160),
    "many lines": saying(STREAM, *[b"data: x\n" * 8_192] * 160),
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_is_told_in_a_line(answer: Answer) -> None:
    with answering(answer) as server, pytest.raises(MonitorUnavailable) as told:
        list(HttpMonitor(server.url).orders(PROCESS))

    assert not isinstance(told.value, MonitorUnreachable)
    assert server.url in str(told.value)
    assert "\n" not in str(told.value)


def test_no_more_is_read_than_an_event_may_hold() -> None:
    sent: list[int] = []

    def pour(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        connection.sendall(STREAM)
        with suppress(OSError):
            sent.extend(connection.send(b"x" * 65_536) for _ in range(10 << 4))

    with answering(pour) as server, pytest.raises(MonitorUnavailable, match="too large"):
        list(HttpMonitor(server.url).orders(PROCESS))

    assert LARGEST_EVENT <= sum(sent) < 10 << 20


def test_a_server_that_is_busy_may_ask_for_a_pause() -> None:
    busy = saying(head("503 Service Unavailable", retry_after="7"))

    with answering(busy) as server, pytest.raises(MonitorUnavailable) as told:
        list(HttpMonitor(server.url).orders(PROCESS))

    assert told.value.retry_after == 7


def test_a_pause_until_a_date_is_taken_by_the_servers_own_clock() -> None:
    dates = {
        "date": "Wed, 21 Oct 2015 07:28:00 GMT",
        "retry_after": "Wed, 21 Oct 2015 07:28:07 GMT",
    }
    busy = saying(head("503 Service Unavailable", **dates))

    with answering(busy) as server, pytest.raises(MonitorUnavailable) as told:
        list(HttpMonitor(server.url).orders(PROCESS))

    assert told.value.retry_after == 7


def test_a_date_without_the_servers_own_is_nothing_to_go_by() -> None:
    busy = saying(head("503 Service Unavailable", retry_after="Wed, 21 Oct 2015 07:28:07 GMT"))

    with answering(busy) as server, pytest.raises(MonitorUnavailable) as told:
        list(HttpMonitor(server.url).orders(PROCESS))

    assert told.value.retry_after is None


def reset(connection: socket.socket) -> None:
    connection.sendall(STREAM + frame())
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


CUT = saying(head(transfer_encoding="chunked"), b"5\r\nevent")


@pytest.mark.parametrize("answer", [reset, CUT, saying()], ids=["reset", "cut", "mute"])
def test_a_connection_that_is_lost_is_nobody_who_answers(answer: Answer) -> None:
    with answering(answer) as server, pytest.raises(MonitorUnreachable):
        list(HttpMonitor(server.url).orders(PROCESS))


def test_where_nobody_listens_nobody_answers() -> None:
    with pytest.raises(MonitorUnreachable):
        list(HttpMonitor(f"http://127.0.0.1:{free_port()}").orders(PROCESS))


def test_a_silent_stream_is_given_up() -> None:
    release = threading.Event()

    def keep_silent(connection: socket.socket) -> None:
        connection.sendall(STREAM)
        release.wait(10)

    with answering(keep_silent) as server:
        monitor = HttpMonitor(server.url, silence=0.2)
        with pytest.raises(MonitorUnavailable, match="gone silent"):
            list(monitor.orders(PROCESS))
        release.set()


def test_the_silence_that_is_borne_is_that_of_a_stream_which_stands() -> None:
    waited = threading.Event()

    def hesitate(connection: socket.socket) -> None:
        waited.wait(0.5)
        connection.sendall(STREAM)

    with answering(hesitate) as server:
        given = list(HttpMonitor(server.url, silence=0.1).orders(PROCESS))

    assert given == [None]


def test_three_of_the_servers_comments_may_fail_to_come() -> None:
    assert SILENCE == 3 * KEEP_ALIVE_WITHIN[1] == HttpMonitor("http://x").silence


@pytest.mark.parametrize("extensions", [{}, {"network_stream": None}, {"network_stream": "unset"}])
def test_hanging_up_where_there_is_no_socket_does_nothing(extensions: dict[str, Any]) -> None:
    if extensions.get("network_stream"):
        extensions = {"network_stream": httpcore.MockStream([])}

    hang_up(httpx.Response(200, extensions=extensions))


def test_hanging_up_ends_a_stream_that_another_thread_waits_for() -> None:
    release = threading.Event()
    given: list[Instruction | None] = []

    def keep_silent(connection: socket.socket) -> None:
        connection.sendall(STREAM)
        release.wait(10)

    with answering(keep_silent) as server:
        monitor = HttpMonitor(server.url)

        def read() -> None:
            with suppress(MonitorUnavailable):
                given.extend(monitor.orders(PROCESS))

        reader = threading.Thread(target=read)
        reader.start()
        eventually(lambda: given)
        begun = monotonic()

        monitor.hang_up()
        reader.join(5)
        spent = monotonic() - begun
        release.set()

    assert not reader.is_alive()
    assert spent < 1


def test_hanging_up_where_nobody_waits_does_nothing() -> None:
    HttpMonitor("http://127.0.0.1:1").hang_up()
