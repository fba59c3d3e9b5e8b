"""Answers of the type `text/event-stream` (WHATWG HTML, section 9.2): frames and the response."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import TypeVar

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Send

T = TypeVar("T")

log = logging.getLogger(__name__)

MEDIA_TYPE = "text/event-stream"

# A comment needs no empty line after it, and some parsers take one for an empty event.
OPENED = b": open\n"
KEEP_ALIVE = b": keep-alive\n"
FAREWELL = b": the server stops, come again\n"


def frame(event: str, data: bytes, event_id: str = "") -> bytes:
    """Return one event; `data` is a line of JSON."""
    return b"event: %b\nid: %b\ndata: %b\n\n" % (event.encode(), event_id.encode(), data)


def mark(event_id: str) -> bytes:
    """Return what sets the reader's last event id, and is no event."""
    return b"id: %b\n\n" % event_id.encode()


async def within(seconds: float, work: Awaitable[T]) -> T | None:
    """Return what `work` gives, or None if that takes longer; it is then cancelled."""
    try:
        async with asyncio.timeout(seconds) as limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        return None


class EventStream(ASGIResponse):
    """Writes what `chunks` gives until it ends or the client has left.

    One task per stream, which also looks now and then whether the client is still there: with
    each chunk, so that keep-alive comments bound how long one that has left is kept.
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
