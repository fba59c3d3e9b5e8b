"""What tracking adds to the load of a page, whatever state the monitor is in."""

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.support.processes import free_port

from . import mailbox as mail
from .figures import Figure
from .load import Client, request
from .stage import stage

ROUNDS = 205
WARM_UP = 5
UNTRACKED = "without the library"
PAGE = request("GET", "/page")

Scene = tuple[int, Mapping[str, int]]
"""The port of the mailbox, and those of the apps by what is the matter with their monitor."""


@contextmanager
def scene() -> Iterator[Scene]:
    """Serve the same app without the library and with it, for several states of the monitor."""
    with stage() as on, socket.create_server((mail.HOST, 0)) as hole:
        port = free_port()
        api = on.api()
        monitors = {
            "monitor up": api.url,
            "monitor stopped": f"http://{mail.HOST}:{free_port()}",
            "monitor that never answers": f"http://{mail.HOST}:{hole.getsockname()[1]}",
        }
        env = {"TRACKED": "1", mail.VARIABLE: str(port)}
        apps = {UNTRACKED: on.app("page")}
        apps |= {each: on.app("page", PSM_SERVER_URL=url, **env) for each, url in monitors.items()}
        on.ready()
        yield port, {each: app.port for each, app in apps.items()}


def page(scene: Scene) -> Iterator[Figure]:
    """Page loads, with and without the library."""
    calls, loads = asyncio.run(_load(*scene))
    for case, sample in calls.items():
        yield Figure.latency(f"the library's calls in a page, {case}", sample, p99=1)
    for case, sample in loads.items():
        yield Figure.latency(f"page load, {case}", sample)
    for case in calls:
        added = [one - other for one, other in zip(loads[case], loads[UNTRACKED], strict=True)]
        yield Figure.latency(f"added to a page load, {case}", added, median=1)


async def _load(
    port: int, apps: Mapping[str, int]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Load every page in turn; return how long the library's calls took, and the whole page."""
    loads: dict[str, list[float]] = {case: [] for case in apps}
    calls: dict[str, list[float]] = {case: [] for case in apps if case != UNTRACKED}
    async with mail.mailbox(port) as letters:
        clients = {case: await Client.of(app) for case, app in apps.items()}
        for turn in range(WARM_UP + ROUNDS):
            for case, client in clients.items():
                load = (await client.ask(PAGE)).seconds
                call = (await letters.get())[0] if case in calls else 0.0
                if turn >= WARM_UP:
                    loads[case].append(load)
                    calls.get(case, []).append(call)
        for client in clients.values():
            client.close()
    return calls, loads


CASES = (page,)
