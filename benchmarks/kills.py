"""How long a kill takes, from the API's answer to the app's callback in a `panel serve` process.

The kills come at random moments whether or not the ones before have arrived, as operators' do.
"""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.support.processes import free_port

from . import mailbox as mail
from .crowd import processes, register
from .figures import Figure
from .load import HOST, Client, request
from .proxy import cutting_proxy
from .stage import stage

OTHERS, OTHERS_EACH = 5, 100
KILLS, PAUSE = 200, 0.07
"""Kills by stream, and the mean time between two, in seconds."""

CUT_KILLS, CUT_PAUSE = 40, 0.25
CUT_INTERVAL = 1.0
"""Heartbeat interval of the app that gets no stream, in seconds."""

MARGIN = 50.0
"""What a heartbeat's own way takes at most, in milliseconds."""

PATIENCE = 120.0
"""How long a case may take, in seconds."""

TOKEN = re.compile(rb'"token":"([^"]+)"')
PAGE = request("GET", "/killed")
OPENED = request("GET", "/sessions?app_name=killed&limit=1")


@dataclass(frozen=True, slots=True)
class Scene:
    """The ports of the API, of the mailbox, of the proxy, and of the apps on either way."""

    api: int
    letters: int
    proxy: int
    streaming: int
    cut: int


@contextmanager
def scene() -> Iterator[Scene]:
    """Start the API with other sessions, and two processes of the app."""
    with stage() as on:
        letters, proxy = free_port(), free_port()
        api = on.api()

        def app(port: int, interval: float) -> int:
            env = {
                "PSM_SERVER_URL": f"http://{HOST}:{port}",
                "HEARTBEAT_INTERVAL": str(interval),
                mail.VARIABLE: str(letters),
            }
            return on.app("killed", **env).port

        streaming, cut = app(api.port, 30.0), app(proxy, CUT_INTERVAL)
        on.ready()
        register(api.port, processes(OTHERS, sessions_each=OTHERS_EACH))
        yield Scene(api.port, letters, proxy, streaming, cut)


def kill(on: Scene) -> list[Figure]:
    """Kills by the order stream."""
    stopped, closed = asyncio.run(_kill(on, on.streaming, KILLS, PAUSE))
    return [
        Figure.latency("kill to callback", stopped, median=10, p99=50),
        Figure.latency("kill to closed WebSocket", closed),
    ]


def cut(on: Scene) -> list[Figure]:
    """Kills while the order stream is cut."""

    async def measured() -> tuple[list[float], int]:
        async with cutting_proxy(on.proxy, on.api) as proxy:
            stopped, _ = await _kill(on, on.cut, CUT_KILLS, CUT_PAUSE)
            return stopped, proxy.cut

    stopped, streams = asyncio.run(measured())
    what = f"kill to callback, stream cut, heartbeat every {CUT_INTERVAL:g} s"
    return [
        Figure.latency(what, stopped, worst=1000 * CUT_INTERVAL + MARGIN),
        Figure.of(
            "order streams cut meanwhile", [streams], "", targets={"median": 1}, more_is_better=True
        ),
    ]


async def _kill(on: Scene, app: int, count: int, pause: float) -> tuple[list[float], list[float]]:
    """Open pages and kill their sessions.

    Returns the delays to the callbacks and to the closed WebSockets; none is missing.
    """
    async with mail.mailbox(on.letters) as letters, asyncio.timeout(PATIENCE):
        pages = {session_id: page async for session_id, page in _open(app, count, letters)}
        api = await Client.of(on.api)
        while f"x-total-count: {count}\r".encode() not in (await api.ask(OPENED)).head.lower():
            await asyncio.sleep(0.05)
        closing = {each: asyncio.create_task(_closed(page)) for each, page in pages.items()}
        ordered = {}
        for session_id in random.sample(list(pages), count):
            await asyncio.sleep(random.uniform(0, 2 * pause))
            answer = await api.ask(request("POST", f"/sessions/{session_id}/kill"))
            ordered[session_id] = answer.at
        stopped = dict([await letters.get() for _ in ordered])
        closed = {each: await page for each, page in closing.items()}
        api.close()
    return (
        [stopped[each] - at for each, at in ordered.items()],
        [closed[each] - at for each, at in ordered.items()],
    )


async def _open(
    app: int, count: int, letters: asyncio.Queue[list[Any]]
) -> AsyncIterator[tuple[str, WebSocketClientConnection]]:
    """Open pages as a browser does, the page itself and then its WebSocket."""
    client = await Client.of(app)
    for _ in range(count):
        token = TOKEN.search((await client.ask(PAGE)).content)
        assert token
        (session_id,) = await letters.get()
        url = HTTPRequest(f"ws://{HOST}:{app}/killed/ws")
        yield session_id, await websocket_connect(url, subprotocols=["bokeh", token[1].decode()])
    client.close()


async def _closed(page: WebSocketClientConnection) -> float:
    """Return when the server has closed the page's WebSocket."""
    while await page.read_message() is not None:
        pass
    return monotonic()


CASES = (kill, cut)
