"""A kill: an operator's order to end a session, and how far it has come."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from .ids import REASON_LENGTH, KillId, optional_name

STEP_OVERDUE_AFTER = timedelta(seconds=10)
"""How long one step of a kill may take before it is shown as overdue."""


class KillState(StrEnum):
    """How far a kill has come, as reported by the process that serves the session."""

    REQUESTED = "requested"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """An order with the time of every step it has reached; steps never go back."""

    kill_id: KillId
    requested_at: datetime
    reason: str | None = None
    requested_by: str | None = None
    delivered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    ended_at: datetime | None = None
    expired_at: datetime | None = None

    def __post_init__(self) -> None:
        """Hold the rules of the order's texts (raises InvalidField)."""
        object.__setattr__(self, "reason", optional_name("reason", self.reason, REASON_LENGTH))
        object.__setattr__(self, "requested_by", optional_name("requested_by", self.requested_by))

    @property
    def state(self) -> KillState:
        """The furthest step reached."""
        if self.ended_at:
            return KillState.ENDED
        if self.expired_at:
            return KillState.EXPIRED
        if self.acknowledged_at:
            return KillState.ACKNOWLEDGED
        return KillState.DELIVERED if self.delivered_at else KillState.REQUESTED

    @property
    def over(self) -> bool:
        """Whether nothing more can come of it."""
        return self.state in (KillState.ENDED, KillState.EXPIRED)

    def overdue(self, now: datetime) -> bool:
        """Tell whether the next step is late."""
        last_step = self.acknowledged_at or self.delivered_at or self.requested_at
        return not self.over and now - last_step >= STEP_OVERDUE_AFTER

    def delivered(self, now: datetime) -> Self:
        """The process has the order."""
        return self if self.over or self.delivered_at else replace(self, delivered_at=now)

    def acknowledged(self, now: datetime) -> Self:
        """The callbacks ran; the order was delivered at the latest now."""
        if self.over or self.acknowledged_at:
            return self
        return replace(self.delivered(now), acknowledged_at=now)

    def ended(self, now: datetime) -> Self:
        """The session is over."""
        return self if self.over else replace(self, ended_at=now)

    def expired(self, now: datetime) -> Self:
        """The session went silent before the order could be seen through."""
        return self if self.over else replace(self, expired_at=now)
