"""Kills: the order an operator sends, and how far one has come."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta, Struct, convert

from ...application.ports import Reached
from ...domain.kill import Kill, KillState


class KillBody(Struct, kw_only=True, omit_defaults=True):
    """Why a session is to be ended, and who wants it."""

    reason: str | None = None
    requested_by: str | None = None


class KillManyBody(KillBody, kw_only=True, omit_defaults=True):
    """Which sessions are to be ended."""

    session_ids: Annotated[list[UUID], Meta(max_length=10_000)]


class KillView(Struct, kw_only=True):
    """A kill, with the time of every step it has reached."""

    kill_id: UUID
    state: KillState
    reason: str | None
    requested_by: str | None
    requested_at: datetime
    delivered_at: datetime | None
    acknowledged_at: datetime | None
    ended_at: datetime | None
    expired_at: datetime | None
    overdue: bool

    @classmethod
    def of(cls, kill: Kill, at: datetime) -> Self:
        """Return a kill as it is seen at a moment."""
        return cls(
            kill_id=kill.kill_id,
            state=kill.state,
            reason=kill.reason,
            requested_by=kill.requested_by,
            requested_at=kill.requested_at,
            delivered_at=kill.delivered_at,
            acknowledged_at=kill.acknowledged_at,
            ended_at=kill.ended_at,
            expired_at=kill.expired_at,
            overdue=kill.overdue(at),
        )

    def kill(self) -> Kill:
        """Return it as the domain knows it."""
        return convert(self, Kill, from_attributes=True)


class KilledAllView(Struct, kw_only=True):
    """How many sessions an order has reached, and which."""

    kill_requested: int
    session_ids: list[UUID]

    @classmethod
    def of(cls, reached: Reached) -> Self:
        """Return whom an order has reached, as it travels."""
        return cls(kill_requested=len(reached.session_ids), session_ids=list(reached.session_ids))
