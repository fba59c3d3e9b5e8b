"""The system's clock and identifiers: the only place that reads the time and randomness."""

import secrets
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from ..domain.ids import uuid7

RANDOM_BITS = 74
"""How many bits of a UUID of version 7 are not the time."""


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Return the current time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


class TimeOrderedIds:
    """UUIDs of version 7, each greater than the one before, from whichever thread.

    Within a millisecond, and while the clock has gone back, the random part counts on (RFC 9562,
    section 6.2, method 2).
    """

    def __init__(self, milliseconds: Callable[[], int] = _milliseconds) -> None:
        self._milliseconds = milliseconds
        self._last = 0
        self._lock = threading.Lock()

    def new(self) -> UUID:
        """Return a UUID that nothing else has."""
        with self._lock:
            fresh = self._milliseconds() << RANDOM_BITS | secrets.randbits(RANDOM_BITS)
            self._last = last = max(fresh, self._last + 1)
        return uuid7(last >> RANDOM_BITS, last & (1 << RANDOM_BITS) - 1)
