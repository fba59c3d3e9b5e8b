"""The order stream as it comes in: bounded while it does, each event understood or refused."""

import re
import socket
from collections.abc import Iterator
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

_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_COMMENT = re.compile(rb"^:.*\n", re.MULTILINE)


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
    with suppress(OSError, AttributeError):
        connection = response.extensions["network_stream"].get_extra_info("socket")
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # beneath TLS, which is not for two


@dataclass(slots=True)
class _Bounded(httpx.SyncByteStream):
    stream: httpx.SyncByteStream

    def __iter__(self) -> Iterator[bytes]:
        begun = b""
        for part in self.stream:
            begun = _COMMENT.sub(b"", _EVENT_END.split(begun + part)[-1])
            if len(begun) > LARGEST_EVENT:
                raise httpx.DecodingError("an event of the order stream is too large")
            yield part
        if begun:
            raise httpx.DecodingError("the order stream breaks off within an event")

    def close(self) -> None:
        self.stream.close()


def _order(event: ServerSentEvent) -> Instruction:
    match event.event:
        case "kill":
            return msgspec.json.decode(event.data, type=OrderView).order()
        case "message":
            return msgspec.json.decode(event.data, type=NoticeView).notice()
        case "drains":
            return msgspec.json.decode(event.data, type=DrainsView).told()
    raise httpx.DecodingError("the order stream brings an order of an unknown kind")
