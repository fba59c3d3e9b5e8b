"""Figures: what was measured, how often, and how it was distributed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured quantity."""

    what: str
    unit: str
    median: float
    p99: float
    runs: int

    @classmethod
    def of(cls, what: str, seconds: Sequence[float]) -> Self:
        """Return the figure of a sample of durations, in milliseconds."""
        sample = [1000 * each for each in seconds]
        p99 = quantiles(sample, n=100, method="inclusive")[98]
        return cls(what, "ms", median(sample), p99, len(sample))

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)
