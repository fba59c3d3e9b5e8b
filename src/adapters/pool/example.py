"""A worker to begin with."""

import asyncio
from typing import Protocol, TypeVar

T = TypeVar("T")

STEPS = 20
LOOK = 0.05
"""Time between two looks at the stop event, in seconds."""


class Event(Protocol):
    """Something that is set when it is time to stop: a manager's event, a `Stop`."""

    def is_set(self) -> bool:
        """Tell whether it is time."""


async def worker(item: T, stop_event: Event) -> T | None:
    """Pretend to work on `item` for a second; return it, or None if told to stop meanwhile."""
    for _ in range(STEPS):
        if stop_event.is_set():
            return None
        await asyncio.sleep(LOOK)
    return item
