"""Identifiers that can be foretold."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

from panel_session_monitor.domain.ids import uuid7


@dataclass(frozen=True, slots=True)
class SequentialIds:
    """Counts: every id is greater than the one before, and no two are the same."""

    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new(self) -> UUID:
        """Return the next id."""
        return uuid7(next(self.numbers), 0)
