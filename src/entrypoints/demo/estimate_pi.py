"""The work of the pool demo, in a module of its own: workers cannot import a served script."""

import os
import random
from dataclasses import dataclass

from panel_session_monitor.pool import Stop

STEPS = 50
POINTS = 2000
"""Points that are drawn in each step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Which points to draw, and how long to take over it."""

    seed: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What came of a sample, and in which process."""

    value: float
    pid: int


def estimate_pi(sample: Sample, stop: Stop) -> Estimate | None:
    """Estimate π by how many points of a square lie in its circle; None if told to stop."""
    draw = random.Random(sample.seed).random  # noqa: S311  # no secret
    inside = 0
    for step in range(STEPS):
        stop.progress(step / STEPS)
        inside += sum(draw() ** 2 + draw() ** 2 < 1 for _ in range(POINTS))
        if stop.wait(sample.seconds / STEPS):
            return None
    return Estimate(value=4 * inside / (STEPS * POINTS), pid=os.getpid())
