"""Answers of the type `text/event-stream` (WHATWG HTML, section 9.2): their text, and the response.

Reading such a stream is a library's work; writing it is four lines of text.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Send

T = TypeVar("T")

log = logging.getLogger(__name__)

MEDIA_TYPE = "text/event-stream"

# A comment is a line. An empty line after it would be an empty event for some parsers.
OPENED = b": open\n"
KEEP_ALIVE = b": keep-alive\n"
FAREWELL = b": the server stops\n"

KEPT_BYTES = 8 << 20
"""How much encoded text is kept for readers that are a little behind the others."""


def frame(event: str, data: bytes, event_id: str | None = None) -> bytes:
    """Return an event; `data` is one line. Without an id the reader's last one stays."""
    if event_id is None:
        return b"event: %b\ndata: %b\n\n" % (event.encode(), data)
    return b"event: %b\nid: %b\ndata: %b\n\n" % (event.encode(), event_id.encode(), data)


def mark(event_id: str) -> bytes:
    """Return what sets the reader's last event id, without an event."""
    return b"id: %b\n\n" % event_id.encode()


class LatestFrames:
    """The latest frames by their event's id, as many as fit."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._room = kept_bytes
        self._frames: OrderedDict[str, bytes] = OrderedDict()

    def get(self, event_id: str, encode: Callable[[], bytes]) -> bytes:
        """Return an event's frame, from `encode` if it is not here."""
        known = self._frames.get(event_id)
        if known is None:
            known = self._frames[event_id] = encode()
            self._room -= len(known)
            while self._room < 0:
                self._room += len(self._frames.popitem(last=False)[1])
        return known


async def within(seconds: float, work: Awaitable[T]) -> T | None:
    """Return what `work` gives, or None if that takes longer: it is then cancelled."""
    try:
        async with asyncio.timeout(seconds) as limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        return None


class EventStream(ASGIResponse):
    """Writes what `chunks` gives until it ends or the client has left.

    One task does all. A second one, that waits for the client to leave, would cost each stream
    6 KiB more, and might cancel a read of the store; so after each chunk it is asked whether it
    has left, and the keep-alive comments see to it that this is asked every 15 s.
    """

    _should_set_content_length = False

    def __init__(self, chunks: AsyncGenerator[bytes, None]) -> None:
        super().__init__(
            media_type=MEDIA_TYPE,
            headers={"cache-control": "no-cache", "x-accel-buffering": "no"},
        )
        self.chunks = chunks

    async def send_body(self, send: Send, receive: Receive) -> None:
        """Write the stream."""
        try:
            async with aclosing(self.chunks) as chunks:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    if await _has_left(receive):
                        return
        except Exception:
            log.exception("An event stream failed; its reader may come again")
        await send({"type": "http.response.body", "body": FAREWELL, "more_body": False})


async def _has_left(receive: Receive) -> bool:
    """Tell whether the client has hung up, without waiting for it."""
    while message := await within(0, receive()):
        if message["type"] == "http.disconnect":
            return True
    return False
