"""A network that lets everything through but the order streams."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from .load import HOST

ORDERS = b"/orders HTTP/1.1\r\n"
CHUNK = 65_536


@dataclass(slots=True)
class Proxy:
    """Relays connections to the API; one that asks for an order stream is cut."""

    api: int
    cut: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection until either side closes it."""
        far_reader, far_writer = await asyncio.open_connection(HOST, self.api)
        with suppress(OSError, asyncio.CancelledError):  # the block may end before they do
            await asyncio.wait(
                [
                    asyncio.create_task(self._relay(reader, far_writer)),
                    asyncio.create_task(self._relay(far_reader, writer)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        writer.close()
        far_writer.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            if ORDERS in data:
                self.cut += 1
                return
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def cutting_proxy(port: int, api: int) -> AsyncIterator[Proxy]:
    """Listen on `port` while the block runs."""
    proxy = Proxy(api)
    async with await asyncio.start_server(proxy.serve, HOST, port):
        yield proxy
