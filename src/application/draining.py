"""A drain as the sessions of this process are told of it."""

from dataclasses import dataclass, replace
from math import isclose

from ..domain.ids import DrainId
from .clock import Clock

SAME_MOMENT = 2.0
"""What the way to the process may add to the time that is left, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainNotice:
    """The app is being drained: its sessions are asked to end, and later perhaps ended.

    `reason` and `requested_by` are the operator's words and name, None where there are none.
    """

    drain_id: DrainId
    reason: str | None
    requested_by: str | None
    ends_at: float | None
    """When the sessions that are left are ended, by the monotonic clock."""
    clock: Clock

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the sessions that are left are ended, never below 0; None if never."""
        return None if self.ends_at is None else max(0.0, self.ends_at - self.clock.monotonic())

    def tells_the_same(self, other: "DrainNotice") -> bool:
        """Tell whether nothing has changed but the moment at which it was told."""
        if self.ends_at is None or other.ends_at is None:
            return self == other
        same = replace(other, ends_at=self.ends_at) == self
        return same and isclose(self.ends_at, other.ends_at, rel_tol=0, abs_tol=SAME_MOMENT)
