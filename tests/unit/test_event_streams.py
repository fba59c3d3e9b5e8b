"""What the two streams say and when, without a server."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from panel_session_monitor.adapters.broadcast import LocalKillChannel, RingChangeFeed
from panel_session_monitor.adapters.http.event_stream import (
    FAREWELL,
    KEEP_ALIVE,
    OPENED,
    EventStream,
    LatestFrames,
)
from panel_session_monitor.adapters.http.streams import ChangeStreams, OrderStreams
from panel_session_monitor.application.orders_due import ListOrdersDue
from panel_session_monitor.domain.change import Changed, DrainChanged
from panel_session_monitor.domain.ids import ProcessId
from panel_session_monitor.domain.staleness import StalenessPolicy

from ..fakes.clock import SettableClock
from ..fakes.examples import (
    a_drain,
    a_kill,
    a_message,
    a_process,
    a_session,
    ago,
    session_id,
)
from ..fakes.ids import SequentialIds
from ..fakes.sessions import InMemorySessions

PROCESS = ProcessId(a_process().process_id)
NEVER = 3600.0
AT_ONCE = 0.0


async def said(chunks: AsyncGenerator[bytes, None], times: int = 1) -> bytes:
    """Return what a stream says next, so many times that it says anything."""
    spoken = (each async for each in chunks if each)
    return b"".join([await anext(spoken) for _ in range(times)])


def ids_in(text: bytes) -> list[str]:
    lines = text.decode().splitlines()
    return [line.removeprefix("id: ") for line in lines if line.startswith("id: ")]


# Orders -----------------------------------------------------------------------------------------


class Given:
    """A process's stream, and the orders that wait for it in the store."""

    def __init__(self) -> None:
        self.sessions = InMemorySessions()
        self.kills = LocalKillChannel()
        self.pause = NEVER

    async def order(self, *numbers: int) -> None:
        """Store kills, each of a session with its number, and poke."""
        async with self.sessions() as transaction:
            await transaction.save(
                a_session(each, process=a_process(), kill=a_kill(each)) for each in numbers
            )
        self.kills.poke([PROCESS])

    def stream(self, last: int | None = None) -> AsyncGenerator[bytes, None]:
        streams = OrderStreams(
            due=ListOrdersDue(reader=self.sessions, clock=SettableClock()),
            kills=self.kills,
            keep_alive=lambda: self.pause,
        )
        return streams(PROCESS, a_kill(last).kill_id if last else None)


def kill_ids(*numbers: int) -> list[str]:
    return [str(a_kill(number).kill_id) for number in numbers]


@pytest.fixture
def given() -> Given:
    return Given()


async def test_orders_come_once_each_and_in_order(given: Given) -> None:
    await given.order(1)
    stream = given.stream()

    assert await said(stream) == OPENED
    assert ids_in(await said(stream)) == kill_ids(1)
    await given.order(2, 3)
    assert ids_in(await said(stream)) == kill_ids(2, 3)
    await given.order(4)
    assert ids_in(await said(stream)) == kill_ids(4)


async def test_an_order_that_is_stored_after_a_later_one_comes_too(given: Given) -> None:
    stream = given.stream()
    await said(stream)

    await given.order(5)
    assert ids_in(await said(stream)) == kill_ids(5)
    await given.order(4)
    assert ids_in(await said(stream)) == kill_ids(4)


async def test_who_comes_again_gets_what_came_after(given: Given) -> None:
    await given.order(1, 2, 3)

    assert ids_in(await said(given.stream(last=2), 2)) == kill_ids(3)


async def test_a_silent_stream_says_that_it_lives_and_forgets_nothing(given: Given) -> None:
    await given.order(1)
    stream = given.stream()
    await said(stream, 2)

    given.pause = AT_ONCE
    await given.order(2)
    assert ids_in(await said(stream)) == kill_ids(2)
    assert await said(stream, 2) == 2 * KEEP_ALIVE
    await given.order(3)
    assert ids_in(await said(stream)) == kill_ids(3)


async def test_messages_come_among_the_kills(given: Given) -> None:
    await given.order(1)
    stream = given.stream()
    await said(stream, 2)

    async with given.sessions() as transaction:
        await transaction.send([a_message(2, 1, sent_by="ada")])
    await given.order(3)
    text = await said(stream)

    assert ids_in(text) == kill_ids(2, 3)
    assert text.startswith(b"event: message\n")
    assert b'"text":"Please save your work","sent_by":"ada"}' in text


async def test_drains_are_told_whenever_others_stand(given: Given) -> None:
    stream = given.stream()
    assert await said(stream) == OPENED

    async with given.sessions() as transaction:
        await transaction.drain(a_drain(kill_at=ago(-60), reason="Noon"))
    given.kills.poke([PROCESS])
    begun = await said(stream)
    await given.order(1)
    between = await said(stream)
    async with given.sessions() as transaction:
        await transaction.undrain("sales")
    given.kills.poke([PROCESS])
    over = await said(stream)

    assert begun.startswith(b'event: drains\ndata: {"drains":[{"app_name":"sales",')
    assert b'"seconds_left":60.0,"reason":"Noon"' in begun
    assert ids_in(begun) == []
    assert b"drains" not in between
    assert over == b'event: drains\ndata: {"drains":[]}\n\n'


async def test_a_stream_ends_with_the_channel_and_leaves_it(given: Given) -> None:
    stream = given.stream()
    await said(stream)
    assert given.kills.listeners == 1

    given.kills.close()

    assert [each async for each in stream if each] == []
    assert given.kills.listeners == 0


# Changes ----------------------------------------------------------------------------------------


@pytest.fixture
def feed() -> RingChangeFeed:
    return RingChangeFeed(SequentialIds().new())


@pytest.fixture
def streams(feed: RingChangeFeed) -> ChangeStreams:
    return ChangeStreams(
        feed=feed, clock=SettableClock(), policy=StalenessPolicy(), keep_alive=lambda: NEVER
    )


async def test_a_new_reader_learns_where_it_is(
    streams: ChangeStreams, feed: RingChangeFeed
) -> None:
    text = await said(streams())

    assert text.startswith(OPENED)
    assert ids_in(text) == [feed.position()]


async def test_a_change_is_encoded_once_as_it_is_first_seen(
    streams: ChangeStreams, feed: RingChangeFeed
) -> None:
    start = feed.position()
    feed.publish([Changed(session=a_session(last_heartbeat=ago(120)))])

    first = await said(streams(start), 2)
    assert isinstance(streams.clock, SettableClock)
    streams.clock.advance(60)
    second = await said(streams(start), 2)

    (data,) = (line[6:] for line in first.splitlines() if line.startswith(b"data: "))
    seen = msgspec.json.decode(data)
    assert (seen["status"], seen["seconds_since_heartbeat"]) == ("stale", 120)
    assert first == second


async def test_a_silent_stream_says_where_it_is(
    streams: ChangeStreams, feed: RingChangeFeed
) -> None:
    position = feed.position()
    stream = replace(streams, keep_alive=lambda: AT_ONCE)(position)

    text = await said(stream, 2)

    assert text == OPENED + KEEP_ALIVE + f"id: {position}\n\n".encode()


async def test_a_drain_is_a_change(streams: ChangeStreams, feed: RingChangeFeed) -> None:
    start = feed.position()
    feed.publish([DrainChanged(app_name="sales", drain=a_drain(reason="Noon"))])
    feed.publish([DrainChanged(app_name="sales", drain=None)])

    text = await said(streams(start), 2)

    first, second = (
        msgspec.json.decode(line[6:]) for line in text.splitlines() if line.startswith(b"data: ")
    )
    assert text.count(b"event: drain\n") == 2
    assert (first["app_name"], first["drain"]["reason"]) == ("sales", "Noon")
    assert second == {"app_name": "sales", "drain": None}


async def test_who_has_missed_changes_is_told_to_look_anew(
    streams: ChangeStreams, feed: RingChangeFeed
) -> None:
    feed.publish([Changed(session=a_session())])
    stream = streams("of another life")

    told = await said(stream, 2)
    feed.publish([Changed(session=a_session(2))])
    then = await said(stream)

    assert told == OPENED + f"event: resync\nid: {feed.position()[:-1]}1\ndata: {{}}\n\n".encode()
    assert str(session_id(2)) in then.decode()


def test_only_so_much_encoded_text_is_kept() -> None:
    latest, encoded = LatestFrames(kept_bytes=250), []

    def read(name: str, size: int = 100) -> None:
        def encode() -> bytes:
            encoded.append(name)
            return b"x" * size

        assert latest.get(name, encode) == b"x" * size

    for name in ("a", "b", "a", "c", "b", "a"):
        read(name)
    read("huge", 1000)
    read("a")

    assert encoded == ["a", "b", "c", "a", "huge", "a"]


# The response -----------------------------------------------------------------------------------


class Connection:
    """A client that is there until it hangs up."""

    def __init__(self) -> None:
        self.body = b""
        self.complete = False
        self.hung_up = asyncio.Event()

    async def send(self, message: Any) -> None:
        self.body += message.get("body", b"")
        self.complete = not message.get("more_body", True)

    async def receive(self) -> Any:
        await self.hung_up.wait()
        return {"type": "http.disconnect"}

    async def read(self, chunks: AsyncGenerator[bytes, None]) -> None:
        """Read a stream to its end."""
        await EventStream(chunks)({"type": "http"}, self.receive, self.send)  # type: ignore[arg-type]


@pytest.fixture
def connection() -> Connection:
    return Connection()


async def test_a_stream_that_ends_says_farewell(connection: Connection) -> None:
    async def chunks() -> AsyncGenerator[bytes, None]:
        yield OPENED

    await connection.read(chunks())

    assert connection.complete
    assert connection.body == OPENED + FAREWELL


async def test_a_client_that_has_left_is_noticed_with_the_next_chunk(
    connection: Connection,
) -> None:
    closed = asyncio.Event()

    async def chunks() -> AsyncGenerator[bytes, None]:
        try:
            yield OPENED
            connection.hung_up.set()
            while True:
                yield KEEP_ALIVE
        finally:
            closed.set()

    await connection.read(chunks())

    assert connection.body == OPENED + KEEP_ALIVE
    assert closed.is_set()


async def test_a_stream_whose_store_fails_ends_and_tells_the_log(
    connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    async def chunks() -> AsyncGenerator[bytes, None]:
        yield OPENED
        raise TimeoutError("the database is away")

    await connection.read(chunks())

    assert connection.complete
    assert "An event stream failed" in caplog.text
