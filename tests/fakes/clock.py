"""A clock that stands still until it is told to go on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NOON = datetime(2030, 6, 15, 12, tzinfo=UTC)
"""When every test begins."""


@dataclass(slots=True)
class SettableClock:
    """Shows one moment; `advance` moves the wall clock and the monotonic one together."""

    time: datetime = NOON
    elapsed: float = 1_000.0

    def now(self) -> datetime:
        """Return the moment that is set."""
        return self.time

    def monotonic(self) -> float:
        """Return the seconds that are set."""
        return self.elapsed

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.time += timedelta(seconds=seconds)
        self.elapsed += seconds
