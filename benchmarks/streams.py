"""Ten thousand processes, each with its order stream open on one server."""

import asyncio
import random
import re
import resource
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import cast

import uvloop

from .crowd import Serving, processes, register
from .figures import Figure
from .load import HEAD_END, HOST, Client, Failed, request, undisturbed
from .memory import resident
from .stage import Program, stage

STREAMS = 10_000
OPENING_AT_ONCE = 100
REGISTERING_AT_ONCE = 32

KILLS, KILLS_PER_SECOND = 300, 15.0
REPORTERS, REPORTS_PER_SECOND = 8, 200.0
SETTLING = 2.0
"""Pause between the last stream's opening and the first kill, in seconds."""

PATIENCE = 5.0
"""How long after the last kill its order is waited for, in seconds."""

SPARE = 500
"""Open files that a server needs beside its streams, and this program too."""

SESSION = re.compile(rb'"session_id": ?"([^"]+)"')


class OrderStream(asyncio.Protocol):
    """The client's end of one order stream."""

    def __init__(self, request: bytes, arrived: Callable[[str, float], object]) -> None:
        self._request = request
        self._arrived = arrived
        self._head = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)  # uvloop has its own kind
        self.transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = monotonic()
        if not self.opened.done():
            self._head += data
            if HEAD_END in self._head:
                self._begin()
        if b"event: kill" in data:
            for session_id in SESSION.findall(data):
                self._arrived(session_id.decode(), now)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(Failed(f"the server closed an order stream: {exc}"))

    def _begin(self) -> None:
        if self._head[9:12] == b"200":
            self.opened.set_result(None)
        else:
            self.opened.set_exception(Failed(self._head.decode()))


@contextmanager
def scene() -> Iterator[tuple[Program, list[Serving]]]:
    """Start a server and register the processes, of one session each."""
    with stage() as on:
        api = on.api()
        on.ready()
        serving = processes(_possible(), sessions_each=1)
        register(api.port, serving, connections=REGISTERING_AT_ONCE)
        yield api, serving


def streams(scene: tuple[Program, list[Serving]]) -> list[Figure]:
    """Kills by stream, among many streams."""
    with undisturbed():
        return uvloop.run(_streams(*scene))


async def _streams(api: Program, serving: list[Serving]) -> list[Figure]:
    arrived: dict[str, float] = {}
    empty = resident(api.process.pid)
    began = monotonic()
    opened = await _open(api.port, serving, arrived.setdefault)
    took = monotonic() - began
    await asyncio.sleep(SETTLING)
    each = (resident(api.process.pid) - empty) / len(opened) / 1024
    beating = asyncio.gather(*(_beat(api.port, serving) for _ in range(REPORTERS)))
    ordered = await _kill(api.port, random.sample(serving, KILLS))
    beats = [seconds for some in await beating for seconds in some]
    until = monotonic() + PATIENCE
    while ordered.keys() - arrived and monotonic() < until:
        await asyncio.sleep(0.01)
    if lost := ordered.keys() - arrived:
        raise Failed(f"{len(lost)} orders never came")
    for stream in opened:
        stream.transport.abort()
    count = f"{len(opened):,} order streams"
    return [
        Figure.latency(
            f"kill to order, {count}",
            [arrived[each] - at for each, at in ordered.items()],
            p99=20,
            worst=150,
        ),
        Figure.latency(f"report beside {count}, {REPORTS_PER_SECOND:g}/s", beats),
        Figure.of(f"memory per stream, {count}", [each], "KiB", targets={"median": 35}),
        Figure.rate("order streams opened", [len(opened) / took]),
    ]


async def _open(
    port: int, serving: list[Serving], arrived: Callable[[str, float], object]
) -> list[OrderStream]:
    loop = asyncio.get_running_loop()
    waiting = iter(serving)
    opened = []

    async def open_some() -> None:
        for each in waiting:
            path = request("GET", f"/processes/{each.process_id}/orders")
            _, stream = await loop.create_connection(
                partial(OrderStream, path, arrived), HOST, port
            )
            await stream.opened
            opened.append(stream)

    await asyncio.gather(*(open_some() for _ in range(OPENING_AT_ONCE)))
    return opened


async def _kill(port: int, doomed: list[Serving]) -> dict[str, float]:
    """Kill their sessions, one after the other; return when each kill was answered."""
    client = await Client.of(port)
    ordered = {}
    async for at in _paced(KILLS, KILLS_PER_SECOND):
        (session_id,) = doomed[at].session_ids
        answer = await client.ask(request("POST", f"/sessions/{session_id}/kill"))
        ordered[str(session_id)] = answer.at
    client.close()
    return ordered


async def _beat(port: int, serving: list[Serving]) -> list[float]:
    """Report for processes chosen at random; return how long each report took."""
    client = await Client.of(port)
    beats = round(KILLS / KILLS_PER_SECOND * REPORTS_PER_SECOND / REPORTERS)
    seconds = [
        (await client.ask(random.choice(serving).beat())).seconds
        async for _ in _paced(beats, REPORTS_PER_SECOND / REPORTERS)
    ]
    client.close()
    return seconds


async def _paced(count: int, per_second: float) -> AsyncIterator[int]:
    """Count, at random moments of that rate; late ones catch up."""
    moment = monotonic()
    for at in range(count):
        moment += random.uniform(0, 2 / per_second)
        await asyncio.sleep(moment - monotonic())
        yield at


def _possible() -> int:
    """Return how many streams the limit of open files allows a process."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit < STREAMS + SPARE:
        print(f"\nOnly {limit} open files are allowed to a process: fewer streams.")
    return min(STREAMS, limit - SPARE)


CASES = (streams,)
