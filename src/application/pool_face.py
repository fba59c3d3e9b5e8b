"""aiomultiprocess's way to call a pool, for code that was written for it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from .pool_ports import Call

R = TypeVar("R")
T = TypeVar("T")


class Face(Protocol):
    """What a pool gets beside its port. Nothing is added to the arguments here."""

    def submit(self, call: Call) -> Future[Any]:
        """Have a worker do the call, as the port says."""

    def close(self) -> None:
        """Take no more calls, as the port says."""

    async def apply(
        self,
        func: Callable[..., Awaitable[R]],
        args: Sequence[Any] = (),
        kwds: Mapping[str, Any] | None = None,
    ) -> R:
        """Return what `func(*args, **kwds)` does in a worker (raises what it raises, PoolError)."""
        call = Call(function=func, args=args, kwds=kwds or {}, stoppable=False)
        result: R = await asyncio.wrap_future(self.submit(call))
        return result

    async def map(self, func: Callable[[T], Awaitable[R]], iterable: Iterable[T]) -> list[R]:
        """Return what `func(item)` does for each item, in their order."""
        return await asyncio.gather(*(self.apply(func, (item,)) for item in iterable))

    async def starmap(
        self, func: Callable[..., Awaitable[R]], iterable: Iterable[Sequence[Any]]
    ) -> list[R]:
        """Return what `func(*args)` does for each of the `args`, in their order."""
        return await asyncio.gather(*(self.apply(func, args) for args in iterable))

    def terminate(self) -> None:
        """Close it: there is no other way."""
        self.close()
