"""Pauses between attempts that fail."""

from collections.abc import Callable
from dataclasses import dataclass

FIRST_BACKOFF = 1.0
"""Longest pause after the first failure, in seconds; it doubles with each further one."""

LONGEST_PAUSE = 3600.0
"""Longest pause of all, in seconds, whatever the server asks for."""

MOST_DOUBLINGS = 30
"""More would overflow, and no bound is that high."""


@dataclass(slots=True)
class Backoff:
    """Exponential backoff with full jitter: those that failed together do not return together.

    `random` gives numbers from 0 to 1, `first` is the longest pause after the first failure.
    """

    random: Callable[[], float]
    first: float = FIRST_BACKOFF
    failures: int = 0

    def missed(self, longest: float, retry_after: float | None = None) -> float:
        """Count a failure; return for how many seconds to pause: at most `longest`.

        What the server asks for is added, lest all return at the moment that it names.
        """
        bound = min(self.first * 2.0**self.failures, longest)
        self.failures = min(self.failures + 1, MOST_DOUBLINGS)
        return min((retry_after or 0.0) + bound * self.random(), LONGEST_PAUSE)

    def reset(self) -> None:
        """All is well again."""
        self.failures = 0
