"""Ten thousand sessions on one server, beside the baseline and a route that does nothing."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, cycle, repeat
from multiprocessing import get_context
from statistics import quantiles
from time import sleep

from .crowd import Serving, fill_baseline, heartbeats, processes, register
from .figures import Figure
from .load import Client, Window, drive, request
from .stage import stage

PROCESSES, SESSIONS_EACH = 100, 100
CONNECTIONS = 32
REPORTERS = 8
"""Connections that report for whole processes: each of them carries a hundred heartbeats."""

ROUNDS = 5
SECONDS = 1.0
"""Length of one window of load."""

LEAD = 0.3
"""How long readers of the list are at work before the heartbeats beside them are timed."""

LISTINGS = 15
LIST = request("GET", "/sessions")

OURS, BASELINE, BESIDE = "heartbeats", "heartbeats, baseline", ", 2 readers of the list"


@dataclass(frozen=True, slots=True)
class Side:
    """A server and the requests that are its load, without an end."""

    port: int
    requests: Iterator[bytes]
    connections: int = CONNECTIONS

    def window(self) -> Window:
        """Load it for a while."""
        return drive(self.port, self.requests, connections=self.connections, seconds=SECONDS)


@dataclass(frozen=True, slots=True)
class Scene:
    """What is loaded in this group."""

    ours: Side
    shuffled: Side
    reports: Side
    changing: Side
    baseline: Side
    noop: Side


@contextmanager
def scene() -> Iterator[Scene]:
    """Start the servers and fill them."""
    with stage() as on:
        api, noop, (baseline, database) = on.api(), on.noop(), on.baseline()
        on.ready()
        serving = processes(PROCESSES, sessions_each=SESSIONS_EACH)
        register(api.port, serving)
        ids = list(chain.from_iterable(each.session_ids for each in serving))
        ours = heartbeats(ids)
        theirs = heartbeats(fill_baseline(database, len(ids)))
        sides = Scene(
            ours=Side(api.port, cycle(ours)),
            shuffled=Side(api.port, cycle(random.sample(ours, len(ours)))),
            reports=Side(api.port, cycle([each.beat() for each in serving]), REPORTERS),
            changing=Side(api.port, cycle(_changing(serving)), REPORTERS),
            baseline=Side(baseline.port, cycle(theirs)),
            noop=Side(noop.port, repeat(request("POST", "/noop"))),
        )
        for side in (sides.ours, sides.reports, sides.baseline, sides.noop):
            side.window()
        yield sides


def _changing(serving: Sequence[Serving]) -> list[bytes]:
    """Return reports none of which has the ids of its process's last one."""
    fewer = [replace(each, session_ids=each.session_ids[:-1]) for each in serving]
    return [each.beat() for each in (*serving, *fewer)]


def heartbeat(on: Scene) -> Iterator[Figure]:
    """Heartbeats of single sessions."""
    sides = {
        OURS: on.ours,
        "heartbeats, sessions in random order": on.shuffled,
        BASELINE: on.baseline,
        "a route that does nothing": on.noop,
    }
    windows = _in_turn({what: side.window for what, side in sides.items()})
    rates = {what: [window.rate for window in seen] for what, seen in windows.items()}
    for what, seen in windows.items():
        yield Figure.rate(what, rates[what])
        yield Figure.latency(f"{what}: time of one", _latencies(seen))
    ours, shuffled, baseline, noop = rates.values()
    yield Figure.ratio("heartbeats, over the baseline's", ours, baseline, at_least=3)
    yield Figure.ratio(
        "heartbeats in random order, over the baseline's", shuffled, baseline, at_least=3
    )
    yield Figure.ratio("heartbeats, over a route that does nothing", ours, noop, at_least=0.6)


def report(on: Scene) -> Iterator[Figure]:
    """Heartbeats of whole processes."""
    same = f"heartbeats, {SESSIONS_EACH} in a report"
    changing = f"{same}, one more or less each time"
    sides = {same: on.reports, changing: on.changing, BASELINE: on.baseline}
    windows = _in_turn({what: side.window for what, side in sides.items()})
    theirs = [window.rate for window in windows[BASELINE]]
    for what in (same, changing):
        ours = [SESSIONS_EACH * window.rate for window in windows[what]]
        yield Figure.rate(what, ours)
        yield Figure.latency(f"{what}: time of a report", _latencies(windows[what]))
        yield Figure.ratio(f"{what}, over the baseline's", ours, theirs, at_least=50)


def readers(on: Scene) -> Iterator[Figure]:
    """Heartbeats while two others read the whole list."""
    lists: dict[str, list[float]] = {OURS: [], BASELINE: []}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:

        def beside_readers(name: str, side: Side) -> Window:
            reading = pool.submit(_read, side.port, connections=2, seconds=LEAD + SECONDS)
            sleep(LEAD)
            window = side.window()
            lists[name].append(reading.result().rate)
            return window

        pool.submit(_read, on.ours.port, connections=1, seconds=0).result()
        seen = _in_turn(
            {
                OURS: on.ours.window,
                OURS + BESIDE: partial(beside_readers, OURS, on.ours),
                BASELINE: on.baseline.window,
                BASELINE + BESIDE: partial(beside_readers, BASELINE, on.baseline),
            }
        )
    p99 = {name: [_p99(window) for window in windows] for name, windows in seen.items()}
    for name, bound in ((OURS, 2), (BASELINE, None)):
        yield Figure.latency(f"{name}{BESIDE}: time of one", _latencies(seen[name + BESIDE]))
        yield Figure.ratio(
            f"{name}{BESIDE}: p99 over p99 without", p99[name + BESIDE], p99[name], at_most=bound
        )
        yield Figure.rate(f"{name}{BESIDE}: lists read", lists[name])


def _read(port: int, *, connections: int, seconds: float) -> Window:
    return drive(port, repeat(LIST), connections=connections, seconds=seconds)


def listing(on: Scene) -> Iterator[Figure]:
    """The whole list, asked for by one client."""
    ours, theirs = asyncio.run(_list_in_turn(on.ours.port, on.baseline.port))
    count = f"{PROCESSES * SESSIONS_EACH:,}"
    yield Figure.latency(f"list of {count}", ours)
    yield Figure.latency(f"list of {count}, baseline", theirs)
    yield Figure.ratio(f"list of {count}, the baseline's time over ours", theirs, ours, at_least=8)


async def _list_in_turn(*ports: int) -> list[list[float]]:
    clients = [await Client.of(port) for port in ports]
    rounds = [[(await client.ask(LIST)).seconds for client in clients] for _ in range(LISTINGS)]
    for client in clients:
        client.close()
    return [list(each) for each in zip(*rounds[1:], strict=True)]


def _in_turn(measures: dict[str, Callable[[], Window]]) -> dict[str, list[Window]]:
    """Measure one after the other, round after round: what disturbs, disturbs all of them."""
    windows: dict[str, list[Window]] = {name: [] for name in measures}
    for _ in range(ROUNDS):
        for name, measure in measures.items():
            windows[name].append(measure())
    return windows


def _latencies(windows: list[Window]) -> list[float]:
    return list(chain.from_iterable(window.latencies for window in windows))


def _p99(window: Window) -> float:
    return quantiles(window.latencies, n=100, method="inclusive")[98]


CASES = (heartbeat, report, readers, listing)
