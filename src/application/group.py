"""Group commit: what arrives while one transaction runs goes into the next one, together."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..domain.errors import Unavailable

I = TypeVar("I")  # noqa: E741  # an item
R = TypeVar("R")

LARGEST_GROUP = 1_000
"""Most items that go into one transaction, so that none of them waits for too long."""


@dataclass(slots=True)
class GroupCommit(Generic[I, R]):
    """Stores items in groups: one call of `store` for all that wait, one result for each.

    An item is answered when its group is stored. One that makes its group fail fails alone: the
    group is then stored item by item, unless there is nowhere to store it. An item whose caller has
    gone is stored all the same.
    """

    store: Callable[[Sequence[I]], Awaitable[Sequence[R]]]
    _waiting: deque[tuple[I, asyncio.Future[R]]] = field(default_factory=deque)
    _storing: asyncio.Task[None] | None = None

    async def __call__(self, item: I) -> R:
        """Have `item` stored and return its result (raises what `store` raises)."""
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_waiting())
        return await result

    async def _store_waiting(self) -> None:
        try:
            while self._waiting:
                size = min(len(self._waiting), LARGEST_GROUP)
                await self._store([self._waiting.popleft() for _ in range(size)])
        finally:
            self._storing = None

    async def _store(self, group: Sequence[tuple[I, asyncio.Future[R]]]) -> None:
        try:
            results = await self.store([item for item, _ in group])
        except Exception as error:
            if len(group) > 1 and not isinstance(error, Unavailable):
                for each in group:
                    await self._store([each])
                return
            for _, waiting in group:
                if not waiting.done():
                    waiting.set_exception(error)
            return
        for (_, waiting), result in zip(group, results, strict=True):
            if not waiting.done():
                waiting.set_result(result)
