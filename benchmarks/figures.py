"""Figures: what was measured, how it was distributed, and what it ought to be."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median, quantiles
from typing import Any, Self

MANY = 100
"""Fewest samples that have a 99th percentile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured quantity. `targets` holds bounds of its median, p99 or worst, by these names."""

    what: str
    unit: str
    median: float
    p99: float | None
    worst: float
    runs: int
    targets: Mapping[str, float] = field(default_factory=dict)
    more_is_better: bool = False

    @classmethod
    def of(
        cls,
        what: str,
        sample: Sequence[float],
        unit: str,
        *,
        targets: Mapping[str, float] | None = None,
        more_is_better: bool = False,
    ) -> Self:
        """Return the figure of a sample."""
        many = len(sample) >= MANY
        return cls(
            what=what,
            unit=unit,
            median=median(sample),
            p99=quantiles(sample, n=100, method="inclusive")[98] if many else None,
            worst=min(sample) if more_is_better else max(sample),
            runs=len(sample),
            targets=targets or {},
            more_is_better=more_is_better,
        )

    @classmethod
    def latency(cls, what: str, seconds: Sequence[float], **targets: float) -> Self:
        """Return the figure of a sample of durations, in milliseconds."""
        return cls.of(what, [1000 * each for each in seconds], "ms", targets=targets)

    @classmethod
    def rate(cls, what: str, per_second: Sequence[float]) -> Self:
        """Return the figure of a sample of throughputs."""
        return cls.of(what, per_second, "/s", more_is_better=True)

    @classmethod
    def ratio(
        cls,
        what: str,
        above: Sequence[float],
        below: Sequence[float],
        *,
        at_least: float | None = None,
        at_most: float | None = None,
    ) -> Self:
        """Compare what was measured in turn: each with its neighbour, so that drift cancels out."""
        quotients = [one / other for one, other in zip(above, below, strict=True)]
        bound = at_most if at_least is None else at_least
        return cls.of(
            what,
            quotients,
            "x",
            targets={} if bound is None else {"median": bound},
            more_is_better=at_least is not None,
        )

    @property
    def met(self) -> bool | None:
        """Whether every target is met; None if there is none."""
        return all(map(self._meets, self.targets)) if self.targets else None

    def _meets(self, name: str) -> bool:
        bound, value = self.targets[name], getattr(self, name)
        if value is None:  # too few samples to tell
            return False
        return bool(value >= bound if self.more_is_better else value <= bound)

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self) | {"met": self.met}
