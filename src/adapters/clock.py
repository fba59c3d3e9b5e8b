"""The system's clock and identifiers: the only place that reads the time and randomness."""

import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

from ..domain.ids import uuid7


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Return the current time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()


class TimeOrderedIds:
    """UUIDs of version 7, which sort by the time they were made."""

    def new(self) -> UUID:
        """Return a UUID that nothing else has."""
        return uuid7(time.time_ns() // 1_000_000, secrets.randbits(74))
