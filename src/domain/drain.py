"""A drain: an app is to have no sessions in a while; they are asked to end, later told to."""

from dataclasses import dataclass
from datetime import datetime

from .ids import REASON_LENGTH, DrainId, name, optional_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """The terms of an app's drain. From `kill_at` on, if that is set, no session may stay."""

    drain_id: DrainId
    app_name: str
    started_at: datetime
    kill_at: datetime | None = None
    reason: str | None = None
    requested_by: str | None = None

    def __post_init__(self) -> None:
        """Hold the rules of the texts (raises InvalidField)."""
        object.__setattr__(self, "app_name", name("app_name", self.app_name))
        object.__setattr__(self, "reason", optional_name("reason", self.reason, REASON_LENGTH))
        object.__setattr__(self, "requested_by", optional_name("requested_by", self.requested_by))

    def kills(self, now: datetime) -> bool:
        """Tell whether the sessions that are left are to be ended."""
        return self.kill_at is not None and now >= self.kill_at
