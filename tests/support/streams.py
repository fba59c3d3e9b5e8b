"""Event streams of a real server, read event by event."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import EventSource, ServerSentEvent

from .processes import PATIENCE

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Followed:
    """A stream that is open; what it says is waited for so long and no longer."""

    response: httpx.Response
    events: AsyncIterator[ServerSentEvent]

    async def next(self) -> ServerSentEvent:
        """Return the next event."""
        async with asyncio.timeout(PATIENCE):
            while not (event := await anext(self.events)).data:
                pass  # the parser also gives an id without an event
        return event

    async def data(self, count: int = 1) -> list[Json]:
        """Return what the next events say."""
        return [json.loads((await self.next()).data) for _ in range(count)]

    async def rest(self) -> list[ServerSentEvent]:
        """Return all events up to the end."""
        async with asyncio.timeout(PATIENCE):
            return [event async for event in self.events if event.data]


@asynccontextmanager
async def following(
    base_url: httpx.URL | str, path: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Followed]:
    """Follow a stream while the block lasts; it is open, and knows its place, from the start."""
    async with (
        httpx.AsyncClient(base_url=base_url, timeout=PATIENCE) as client,
        client.stream("GET", path, headers=headers) as response,
        aclosing(EventSource(response).aiter_sse()) as events,
    ):
        assert response.status_code == httpx.codes.OK, await response.aread()
        yield Followed(response, events)


def after(event_id: str) -> dict[str, str]:
    """Return the header with which a reader comes again."""
    return {"Last-Event-ID": event_id}
