"""The stream of changes as it comes in: bounded while it does, each event understood or refused."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeVar

import httpx
import msgspec
from httpx_sse import EventSource, ServerSentEvent

from ...application.operator_ports import ChangesMissed
from ...domain.change import Change, Changed
from ..wire.changes import HeardView
from ..wire.drains import DrainChangedView
from ..wire.sessions import SessionView

T = TypeVar("T")

LARGEST_EVENT = 16 << 20
"""Most bytes read of one event: heartbeats may name very many sessions, but not without end."""


async def read_changes(response: httpx.Response) -> AsyncIterator[Change | None]:
    """Yield the changes as they come in, and None for a sign of life.

    Raises ChangesMissed, what reading raises, and DecodingError.
    """
    assert isinstance(response.stream, httpx.AsyncByteStream)
    response.stream = _Bounded(response.stream)
    async for event in EventSource(response).aiter_sse():
        yield _change(event) if event.data else None  # the parser also gives an id without an event


@dataclass(slots=True)
class _Bounded(httpx.AsyncByteStream):
    stream: httpx.AsyncByteStream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        begun = 0
        async for part in self.stream:
            end = part.rfind(b"\n\n")
            begun = begun + len(part) if end < 0 else len(part) - end
            if begun > LARGEST_EVENT:
                raise httpx.DecodingError("an event of the stream of changes is too large")
            yield part

    async def aclose(self) -> None:
        await self.stream.aclose()


def _change(event: ServerSentEvent) -> Change:
    match event.event:
        case "session":
            return Changed(session=_read(event, SessionView).observation().session)
        case "heartbeats":
            return _read(event, HeardView).heard()
        case "drain":
            return _read(event, DrainChangedView).change()
        case "resync":
            raise ChangesMissed("changes were missed: look anew")
    raise httpx.DecodingError("the stream of changes brings a change of an unknown kind")


def _read(event: ServerSentEvent, kind: type[T]) -> T:
    return msgspec.json.decode(event.data, type=kind)
