"""Streams of events: orders for a process, changes for those who watch the live list."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from inspect import cleandoc
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
from ...domain.change import Change, Changed, DrainChanged, Heard
from ...domain.drain import Drain
from ...domain.ids import KillId, ProcessId, SessionId
from ...domain.report import Draining, Drains, Notice, Order
from ...domain.staleness import StalenessPolicy
from ..wire.changes import HeardView
from ..wire.drains import DrainChangedView
from ..wire.reports import DrainsView, NoticeView, OrderView
from ..wire.sessions import SessionView
from .event_stream import (
    KEEP_ALIVE,
    MEDIA_TYPE,
    OPENED,
    EventStream,
    LatestFrames,
    frame,
    mark,
    within,
)
from .problems import refusals

T = TypeVar("T")
LastEventId = Annotated[T | None, HeaderParameter(name="Last-Event-ID")]

AN_ID = UUID("01990a5d-ac96-774b-bcce-b302099a8057")
AN_ORDER = Order(session_id=SessionId(AN_ID), kill_id=KillId(AN_ID), reason="maintenance")
"""What the documentation shows."""

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStreams:
    """Give a process the orders for its sessions, each once: those that wait, then new ones.

    Events are named `kill` and `message`; `drains` tells all drains that stand, whenever they are
    others than before (at first, none). With `Last-Event-ID`, orders up to that one are left out;
    the replies to the process's heartbeats repeat every order until it is obeyed.
    """

    due: ListOrdersDue
    kills: KillChannel
    keep_alive: Callable[[], float]
    """Seconds of silence after which a comment is due."""

    async def __call__(
        self, process_id: ProcessId, last: UUID | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Give the stream. The store says what is due, a poke says when to look."""
        # Not the last id but what is still due is remembered: of two orders that are given at the
        # same moment the later may be stored first.
        given: set[UUID] = set()
        standing: Sequence[Drain] = []
        poked: bool | None = True
        with self.kills.listen(process_id) as listener:
            yield OPENED
            while poked is not False:
                if poked:
                    due = await self.due(process_id)
                    given |= {each.id for each in due.orders if last and each.id <= last}
                    fresh = [_order(each) for each in due.orders if each.id not in given]
                    if due.drains != standing:
                        fresh.append(_drains(due.drains, due.at))
                    yield b"".join(fresh)
                    given, last, standing = {each.id for each in due.orders}, None, due.drains
                else:
                    yield KEEP_ALIVE
                poked = await within(self.keep_alive(), listener.poked())


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeStreams:
    """Give the changes of the live list, in order, from a position on or from now.

    `session`: a session is as it is here; one with `end_reason` leaves the list. `heartbeats`:
    these sessions, and all that beat with these processes, were heard of. `drain`: an app's drain
    is on these terms, or on none. `resync`: changes were missed, `GET /sessions` has them.
    Positions are the events' ids; that of a list comes with it as the header `Last-Event-ID`. A
    browser, which cannot set this one, begins with `after`.
    """

    feed: ChangeFeed
    clock: Clock
    policy: StalenessPolicy
    keep_alive: Callable[[], float]
    """Seconds of silence after which a comment is due."""
    latest: LatestFrames = field(default_factory=LatestFrames)

    async def __call__(self, position: str | None = None) -> AsyncGenerator[bytes, None]:
        """Give the stream; a change is encoded once for all readers, as it is first seen."""
        place = position or self.feed.position()
        yield OPENED if position else OPENED + mark(place)
        while True:
            events = await within(self.keep_alive(), self.feed.after(place))
            if events:
                place = events[-1].position
                yield b"".join(map(self._frame, events))
            elif events is None:  # some parsers keep comments to themselves, but tell of an id
                yield KEEP_ALIVE + mark(place)
            else:
                return

    def _frame(self, event: Event) -> bytes:
        if event.change is None:  # its position is that of the last change, too
            return frame("resync", b"{}", event.position)
        return self.latest.get(event.position, partial(self._encoded, event.position, event.change))

    def _encoded(self, position: str, change: Change) -> bytes:
        match change:
            case Changed(session=session):
                seen = self.policy.observe(session, self.clock.now())
                return frame("session", _encode(SessionView.of(seen)), position)
            case Heard() as heard:
                return frame("heartbeats", _encode(HeardView.of(heard)), position)
            case DrainChanged() as changed:
                return frame("drain", _encode(DrainChangedView.of(changed)), position)


def _order(order: Order | Notice) -> bytes:
    name, kind = ("kill", OrderView) if isinstance(order, Order) else ("message", NoticeView)
    view = msgspec.convert(order, kind, from_attributes=True)
    return frame(name, _encode(view), str(order.id))


def _drains(standing: Sequence[Drain], at: datetime) -> bytes:
    told = Drains(drains=tuple(Draining.of(each, at) for each in standing))
    return frame("drains", _encode(msgspec.convert(told, DrainsView, from_attributes=True)))


def _documented(*events: bytes) -> dict[int, ResponseSpec]:
    text = b"".join((OPENED, *events, KEEP_ALIVE)).decode()
    stream = ResponseSpec(
        str,
        media_type=MEDIA_TYPE,
        description="Events, as they come, and a comment at least every 15 s",
        generate_examples=False,
        examples=[Example(value=text)],
    )
    return refusals() | {HTTP_200_OK: stream}


@get(
    "/processes/{process_id:uuid}/orders",
    tags=["apps"],
    description=cleandoc(OrderStreams.__doc__ or ""),
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
    description=cleandoc(ChangeStreams.__doc__ or ""),
    responses=_documented(frame("resync", b"{}", "01990a5dac96774bbcceb302099a8057-7")),
)
async def follow_changes(
    change_streams: NamedDependency[ChangeStreams],
    last_event_id: LastEventId[str] = None,
    after: FromQuery[str | None] = None,
) -> EventStream:
    """Follow the changes of the live list."""
    return EventStream(change_streams(last_event_id or after))


ROUTES = [follow_orders, follow_changes]
