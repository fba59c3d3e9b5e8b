"""The order stream as it comes in: bounded while it does, each event understood or refused."""

import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import httpx
import msgspec
from httpx_sse import EventSource, ServerSentEvent

from ...domain.report import Instruction
from ..wire.reports import DrainsView, NoticeView, OrderView

LARGEST_EVENT = 64 << 10
"""Most bytes read of one event: the parser would keep whatever comes until the event ends."""

SILENCE = 45.0
"""Longest silence borne, in seconds: three comments, of which the server sends one in 15."""

HEADERS = {
    "Accept": "text/event-stream",
    "Accept-Encoding": "identity",
    "Cache-Control": "no-store",
}
"""Of the request; a compressed stream would be bounded before it swells."""

BOM = b"\xef\xbb\xbf"

NO_PART = (b":", b"retry:")
"""How lines begin that belong to no event."""


def is_stream(response: httpx.Response) -> bool:
    """Tell whether an answer holds events, as they are."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    packing = response.headers.get("content-encoding", "identity")
    return (kind, packing) == ("text/event-stream", "identity")


def read_orders(response: httpx.Response) -> Iterator[Instruction]:
    """Yield the orders as they come in (raises what reading raises, and DecodingError)."""
    assert isinstance(response.stream, httpx.SyncByteStream)
    response.stream = _Bounded(response.stream)
    response.encoding = "utf-8"  # whatever the header says: other bytes are replaced (WHATWG HTML)
    for event in EventSource(response).iter_sse():
        if event.data:  # the parser also gives an id without an event
            yield _order(event)


def hang_up(response: httpx.Response) -> None:
    """Let whoever reads the response in another thread find its end."""
    with suppress(OSError, AttributeError, KeyError, TypeError):  # there is none, or none any more
        connection = response.extensions["network_stream"].get_extra_info("socket")
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # beneath TLS, which is not for two


@dataclass(slots=True)
class _Bounded(httpx.SyncByteStream):
    """The lines that make up events, each of which must have an end and not be too large."""

    stream: httpx.SyncByteStream

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for line in _lines(self.stream):
            if not line.startswith(NO_PART):
                size = _within_bounds(size + len(line)) if line else 0
                yield line + b"\n"
        if size:
            raise httpx.DecodingError("the order stream breaks off within an event")

    def close(self) -> None:
        self.stream.close()


def _lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines without their ends (LF, CR or both), also a last one that has none."""
    line, after, first = bytearray(), b"", True
    for part in parts:
        rest = part.removeprefix(b"\n") if after == b"\r" else part
        after = part[-1:] or after
        for piece in rest.splitlines(keepends=True):
            line += piece
            _within_bounds(len(line))
            if piece.endswith((b"\r", b"\n")):
                yield bytes(line).rstrip(b"\r\n").removeprefix(BOM if first else b"")
                line, first = bytearray(), False
    if line:
        yield bytes(line).removeprefix(BOM if first else b"")


def _within_bounds(size: int) -> int:
    if size > LARGEST_EVENT:
        raise httpx.DecodingError("an event of the order stream is too large")
    return size


def _order(event: ServerSentEvent) -> Instruction:
    match event.event:
        case "kill":
            return msgspec.json.decode(event.data, type=OrderView).order()
        case "message":
            return msgspec.json.decode(event.data, type=NoticeView).notice()
        case "drains":
            return msgspec.json.decode(event.data, type=DrainsView).told()
    raise httpx.DecodingError("the order stream brings an order of an unknown kind")
