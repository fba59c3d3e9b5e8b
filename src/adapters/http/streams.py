"""Streams of events: orders for a process, changes for those who watch the live list."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import FromPath, FromQuery, HeaderParameter
from litestar.status_codes import HTTP_200_OK

from ...application.orders_due import ListOrdersDue
from ...application.ports import ChangeFeed, Clock, Event, KillChannel
from ...domain.change import Changed, Heard
from ...domain.ids import KillId, ProcessId, SessionId
from ...domain.report import Order
from ...domain.staleness import StalenessPolicy
from ..wire.changes import HeardView
from ..wire.reports import OrderView
from ..wire.sessions import SessionView
from .event_stream import KEEP_ALIVE, MEDIA_TYPE, OPENED, EventStream, frame, mark, within
from .problems import refusals

KEPT_FRAMES = 1_000
"""Most encoded changes that are kept, for readers a little behind the others."""

AN_ID = UUID("01990a5d-ac96-774b-bcce-b302099a8057")
AN_ORDER = Order(session_id=SessionId(AN_ID), kill_id=KillId(AN_ID), reason="maintenance")
"""What the documentation shows."""

T = TypeVar("T")
LastEventId = Annotated[T | None, HeaderParameter(name="Last-Event-ID")]

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStreams:
    """The orders of a process as they are given: the store says which, a poke says when to look.

    `keep_alive` gives the seconds until the next comment, where there is no order.
    """

    due: ListOrdersDue
    kills: KillChannel
    keep_alive: Callable[[], float]

    async def __call__(
        self, process_id: ProcessId, resumed: UUID | None
    ) -> AsyncGenerator[bytes, None]:
        """Give every order that is due, but for those up to `resumed` at the beginning.

        What was given and is still due is remembered, rather than the last id: of two orders
        given at the same moment the later may be stored first.
        """
        given: frozenset[UUID] = frozenset()
        poked: bool | None = True
        with self.kills.listen(process_id) as listener:
            yield OPENED
            while poked is not False:
                if poked:
                    due = await self.due(process_id)
                    skipped = {each.kill_id for each in due if resumed and each.kill_id <= resumed}
                    yield b"".join(
                        _order(each) for each in due if each.kill_id not in given | skipped
                    )
                    given, resumed = frozenset(each.kill_id for each in due), None
                else:
                    yield KEEP_ALIVE
                poked = await within(self.keep_alive(), listener.poked())


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeStreams:
    """The changes of the live list, each encoded once for all readers, as it is first seen."""

    feed: ChangeFeed
    clock: Clock
    policy: StalenessPolicy
    keep_alive: Callable[[], float]
    frames: OrderedDict[str, bytes] = field(default_factory=OrderedDict)

    async def __call__(self, position: str | None) -> AsyncGenerator[bytes, None]:
        """Give every change after `position`; without one, after now, and where that is."""
        place = position or self.feed.position()
        yield OPENED if position else OPENED + mark(place)
        while True:
            events = await within(self.keep_alive(), self.feed.after(place))
            if events:
                place = events[-1].position
                yield b"".join(map(self._frame, events))
            elif events is None:
                yield KEEP_ALIVE
            else:
                return

    def _frame(self, event: Event) -> bytes:
        if event.change is None:
            return frame("resync", b"{}", event.position)
        known = self.frames.get(event.position)
        if known is None:
            known = self.frames[event.position] = self._encoded(event)
            if len(self.frames) > KEPT_FRAMES:
                self.frames.popitem(last=False)
        return known

    def _encoded(self, event: Event) -> bytes:
        match event.change:
            case Changed(session=session):
                seen = self.policy.observe(session, self.clock.now())
                return frame("session", _encode(SessionView.of(seen)), event.position)
            case Heard() as heard:
                return frame("heartbeats", _encode(HeardView.of(heard)), event.position)


def _order(order: Order) -> bytes:
    view = msgspec.convert(order, OrderView, from_attributes=True)
    return frame("kill", _encode(view), str(order.kill_id))


def _documented(*events: bytes) -> dict[int, ResponseSpec]:
    text = b"".join((OPENED, *events, KEEP_ALIVE)).decode()
    stream = ResponseSpec(
        str,
        media_type=MEDIA_TYPE,
        description="Events, as they come; the answer ends when the server stops",
        generate_examples=False,
        examples=[Example(value=text)],
    )
    return refusals() | {HTTP_200_OK: stream}


@get(
    "/processes/{process_id:uuid}/orders",
    tags=["apps"],
    description=OrderStreams.__doc__,
    responses=_documented(_order(AN_ORDER)),
)
async def follow_orders(
    process_id: FromPath[UUID],
    order_streams: NamedDependency[OrderStreams],
    last_event_id: LastEventId[UUID] = None,
) -> EventStream:
    """Follow the orders for a process."""
    return EventStream(order_streams(ProcessId(process_id), last_event_id))


@get(
    "/events",
    tags=["operators"],
    description=ChangeStreams.__doc__,
    responses=_documented(frame("resync", b"{}", "7")),
)
async def follow_changes(
    change_streams: NamedDependency[ChangeStreams],
    last_event_id: LastEventId[str] = None,
    after: FromQuery[str | None] = None,
) -> EventStream:
    """Follow the changes of the live list."""
    return EventStream(change_streams(last_event_id or after))


ROUTES = [follow_orders, follow_changes]
