"""The ports for the time and for identifiers, which every side has."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the current time, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow, for measuring spans."""


class Ids(Protocol):
    """New identifiers."""

    def new(self) -> UUID:
        """Return a UUID that nothing else has, in the order of time."""
