"""How many of the expired a sweep may really remove: mass silence is the monitor's fault first."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

GAPS_BORNE = 4
"""How many looks may be late in a row before the monitor is taken to have slept."""

LEAST_GAP = timedelta(seconds=10)
"""A busy machine may hold a short look up for this long; that is no sleep."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Since when the monitor has listened without a break.

    A server that was stopped, suspended or cut off heard nobody: silence counts only while it
    listened, so that no live session is given up for the monitor's own absence. Netflix's Eureka
    protects its registry from the same mistake ("self-preservation").
    """

    listening_since: datetime
    last_look: datetime
    longest_gap: timedelta

    @classmethod
    def begin(cls, now: datetime, look_every: float) -> Self:
        """Return the watch of a monitor that starts now and looks every so many seconds."""
        gap = timedelta(seconds=GAPS_BORNE * look_every)
        return cls(listening_since=now, last_look=now, longest_gap=max(gap, LEAST_GAP))

    def look(self, now: datetime) -> Self:
        """Note that the monitor is awake at `now`; after too long a gap it starts anew."""
        slept = now - self.last_look > self.longest_gap
        return replace(
            self,
            listening_since=now if slept else self.listening_since,
            last_look=now,
        )

    def heard_nothing_for(self, silence: timedelta) -> bool:
        """Tell whether the monitor has listened for at least `silence`."""
        return self.last_look - self.listening_since >= silence
