"""HTTP load, made cheaply: requests are bytes made beforehand, and answers are hardly parsed.

A client library takes longer for a request than the servers under test do; this takes a tenth.
"""

import asyncio
import gc
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Self, cast

import msgspec
import uvloop

HOST = "127.0.0.1"
HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
LAST_CHUNK = b"\r\n0\r\n\r\n"
"""Where a chunked answer ends. JSON holds no bare line break, so it cannot occur earlier."""

PATIENCE = 60.0
"""How long one answer, or a whole load, may take, in seconds."""


class Failed(Exception):
    """A server did not answer with success."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Collect no garbage in the block: a pause of this program would count as the server's."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def request(method: str, path: str, body: object = None) -> bytes:
    """Return a request as bytes."""
    content = b"" if body is None else msgspec.json.encode(body)
    kind = "" if body is None else "content-type: application/json\r\n"
    length = "" if method == "GET" else f"content-length: {len(content)}\r\n"
    return f"{method} {path} HTTP/1.1\r\nhost: {HOST}\r\n{kind}{length}\r\n".encode() + content


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, its head, when it was complete, and how long it took, in seconds."""

    head: bytes
    content: bytearray
    at: float
    seconds: float


class Connection(asyncio.Protocol):
    """A keep-alive HTTP/1.1 connection with one request at a time."""

    def __init__(
        self, answered: Callable[[Answer], None], failed: Callable[[Failed], None]
    ) -> None:
        self._answered = answered
        self._failed = failed
        self._buffer = bytearray()
        self._head = 0
        self._end: int | None = None
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop has its own kind

    def send(self, request: bytes) -> None:
        """Send a request; the one before it must be answered."""
        self._sent = monotonic()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._head:
            self._read_head()
        if self._head and self._complete():
            now = monotonic()
            content, self._buffer = self._buffer, bytearray()
            head, self._head = bytes(content[: self._head]), 0
            if head[9:10] == b"2":
                self._answered(Answer(head, content, now, now - self._sent))
            else:
                self._failed(Failed(content[:500].decode(errors="replace")))

    def connection_lost(self, exc: Exception | None) -> None:
        self._failed(Failed(f"the server closed the connection: {exc}"))

    def close(self) -> None:
        """Close the connection."""
        self._failed = lambda _: None
        self._transport.close()

    def _read_head(self) -> None:
        end = self._buffer.find(HEAD_END)
        if end >= 0:
            self._head = end + len(HEAD_END)
            length = LENGTH.search(self._buffer, 0, self._head)
            self._end = self._head + int(length[1]) if length else None

    def _complete(self) -> bool:
        if self._end is None:
            return self._buffer.endswith(LAST_CHUNK)
        return len(self._buffer) >= self._end


async def connect(
    port: int, answered: Callable[[Answer], None], failed: Callable[[Failed], None]
) -> Connection:
    """Open a connection."""
    loop = asyncio.get_running_loop()
    return (await loop.create_connection(lambda: Connection(answered, failed), HOST, port))[1]


class Client:
    """Asks one question after the other and waits for each answer."""

    def __init__(self) -> None:
        self._waiting: asyncio.Future[Answer] | None = None
        self._connection: Connection | None = None

    @classmethod
    async def of(cls, port: int) -> Self:
        """Return one that is connected."""
        client = cls()
        client._connection = await connect(port, client._answered, client._failed)
        return client

    async def ask(self, request: bytes) -> Answer:
        """Return the answer (raises Failed)."""
        assert self._connection
        self._waiting = asyncio.get_running_loop().create_future()
        self._connection.send(request)
        async with asyncio.timeout(PATIENCE):
            return await self._waiting

    def close(self) -> None:
        """Close the connection."""
        assert self._connection
        self._connection.close()

    def _answered(self, answer: Answer) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(answer)

    def _failed(self, failure: Failed) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(failure)


@dataclass(frozen=True, slots=True)
class Window:
    """What a load has seen: how long it lasted and how long each answer took, in seconds."""

    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds


async def load(port: int, requests: Iterator[bytes], connections: int) -> Window:
    """Send all requests; each connection sends the next as soon as its last one is answered.

    Raises Failed, with the first answer that is no success.
    """
    latencies: list[float] = []
    began = monotonic()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(_converse(port, requests, latencies) for _ in range(connections)))
    return Window(monotonic() - began, latencies)


async def _converse(port: int, requests: Iterator[bytes], latencies: list[float]) -> None:
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def proceed() -> None:
        if following := next(requests, None):
            connection.send(following)
        elif not over.done():
            over.set_result(None)

    def answered(answer: Answer) -> None:
        latencies.append(answer.seconds)
        proceed()

    def failed(failure: Failed) -> None:
        if not over.done():
            over.set_exception(failure)

    connection = await connect(port, answered, failed)
    proceed()
    await over
    connection.close()


def drive(port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> Window:
    """Send requests for so long; the next call goes on with those that are left."""
    return _run(port, _during(seconds, requests), connections)


def deliver(port: int, requests: Iterable[bytes], *, connections: int = 1) -> Window:
    """Send each of the requests once."""
    return _run(port, iter(requests), connections)


def _run(port: int, requests: Iterator[bytes], connections: int) -> Window:
    with undisturbed():
        return uvloop.run(load(port, requests, connections))


def _during(seconds: float, requests: Iterator[bytes]) -> Iterator[bytes]:
    until = monotonic() + seconds
    while monotonic() < until:
        yield next(requests)
