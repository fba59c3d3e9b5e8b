"""What a call of the worker pool costs, beside one of aiomultiprocess's own pool."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any

from aiomultiprocess.core import get_manager
from aiomultiprocess.pool import Pool
from panel_session_monitor.adapters.pool import ProcessPool
from panel_session_monitor.application.pool import Work

from tests.support.work import nothing

from .figures import Figure

CALLS, PROCESSES = 1_000, 2
ROUNDS, REPEATS = 5, 7
"""How often each pool is started, and measured once it runs where that is quick."""

SLOW_ROUNDS = 3
MOST = 1.1
"""What a call may cost at most, for one of aiomultiprocess's own."""

PATIENCE = 5.0

Apply = Callable[[Any], Awaitable[object]]


@contextmanager
def scene() -> Iterator[None]:
    """Nothing is shared: the pools are started in turn, so that neither disturbs the other."""
    yield
    get_manager().shutdown()  # aiomultiprocess keeps it


def gathered(_: None) -> list[Figure]:
    """A thousand calls at once."""

    async def spent(apply: Apply) -> float:
        return median([await _seconds(_all_at_once, apply) for _ in range(REPEATS)])

    return _figures("at once", *asyncio.run(_in_turn(spent, ROUNDS)))


def sequential(_: None) -> list[Figure]:
    """A thousand calls, one after the other."""

    async def spent(apply: Apply) -> float:
        return await _seconds(_one_by_one, apply)

    return _figures("one by one", *asyncio.run(_in_turn(spent, SLOW_ROUNDS)))


async def _in_turn(
    spent: Callable[[Apply], Awaitable[float]], rounds: int
) -> tuple[list[float], list[float]]:
    ours, bare = [], []
    for _ in range(rounds):
        pool = ProcessPool(PROCESSES)
        ours.append(await _measured(spent, Work(pool).apply))
        pool.close()
        await asyncio.to_thread(pool.join, PATIENCE)
        async with Pool(PROCESSES) as other:
            bare.append(await _measured(spent, other.apply))
    return ours, bare


async def _measured(spent: Callable[[Apply], Awaitable[float]], apply: Apply) -> float:
    await asyncio.gather(*(apply(nothing) for _ in range(CALLS)))  # all workers are there
    return await spent(apply)


async def _seconds(run: Callable[[Apply], Awaitable[None]], apply: Apply) -> float:
    began = perf_counter()
    await run(apply)
    return perf_counter() - began


async def _all_at_once(apply: Apply) -> None:
    await asyncio.gather(*(apply(nothing) for _ in range(CALLS)))


async def _one_by_one(apply: Apply) -> None:
    for _ in range(CALLS):
        await apply(nothing)


def _figures(how: str, ours: list[float], bare: list[float]) -> list[Figure]:
    what = f"1,000 calls of the worker pool, {how}"
    return [
        Figure.latency(what, ours),
        Figure.ratio(f"{what}, over aiomultiprocess's own", ours, bare, at_most=MOST),
    ]


CASES = (gathered, sequential)
