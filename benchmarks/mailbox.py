"""How an app under measurement tells the benchmark what happened: datagrams on this machine."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

HOST = "127.0.0.1"
VARIABLE = "BENCHMARK_MAILBOX"

_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def tell(*letter: Any) -> None:
    """In the app: send a letter; never waits."""
    _socket.sendto(json.dumps(letter).encode(), (HOST, int(os.environ[VARIABLE])))


class Mailbox(asyncio.DatagramProtocol):
    """In the benchmark: the letters that have come."""

    def __init__(self) -> None:
        self.letters: asyncio.Queue[list[Any]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002
        self.letters.put_nowait(json.loads(data))


@asynccontextmanager
async def mailbox(port: int) -> AsyncIterator[asyncio.Queue[list[Any]]]:
    """Receive letters while the block runs."""
    loop = asyncio.get_running_loop()
    transport, box = await loop.create_datagram_endpoint(Mailbox, (HOST, port))
    try:
        yield box.letters
    finally:
        transport.close()
