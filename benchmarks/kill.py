"""How long a kill takes, from the API's answer to the closed WebSocket and to the reported end."""

import asyncio
import re
from time import perf_counter

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.support.processes import free_port

from .figures import Figure
from .stage import stage

KILLS = 20
INTERVAL = 1.0
"""Heartbeat interval, in seconds: an order waits for the next heartbeat."""


def measure() -> list[Figure]:
    """Return the latencies of kills by way of the heartbeat."""
    with stage() as on:
        api = on.api(free_port(), heartbeat_interval=INTERVAL)
        return asyncio.run(_measure(api, on.app(monitor=api)))


async def _measure(api: str, page: str) -> list[Figure]:
    closed, ended = [], []
    async with httpx.AsyncClient(base_url=api, timeout=60) as client:
        for _ in range(KILLS):
            token = re.search(r'"token":"([^"]+)"', (await client.get(page)).text)
            assert token
            socket = await websocket_connect(
                HTTPRequest(page.replace("http", "ws", 1) + "/ws"), subprotocols=["bokeh", token[1]]
            )
            session = await _newest(client)
            (await client.post(f"/sessions/{session}/kill")).raise_for_status()
            began = perf_counter()
            while await socket.read_message() is not None:
                pass
            closed.append(perf_counter() - began)
            while (await client.get(f"/sessions/{session}")).json()["status"] != "ended":
                await asyncio.sleep(0.01)
            ended.append(perf_counter() - began)
    told = f"(heartbeat interval {INTERVAL:g} s)"
    return [
        Figure.of(f"kill to closed WebSocket {told}", closed),
        Figure.of(f"kill to reported end {told}", ended),
    ]


async def _newest(client: httpx.AsyncClient) -> str:
    while not (live := (await client.get("/sessions")).json()):
        await asyncio.sleep(0.01)
    return str(live[-1]["session_id"])
