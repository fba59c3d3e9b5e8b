"""What goes over the line between the pool and a worker."""

import asyncio
import pickle
import struct
from collections.abc import Callable
from typing import Any

Message = tuple[Any, ...]

SIZE = struct.Struct("!Q")
"""What stands before each packet: its length."""


def packet(*messages: Message) -> bytes:
    """Return messages as they travel, all in one."""
    body = pickle.dumps(messages)
    return SIZE.pack(len(body)) + body


def opened(body: bytes) -> tuple[Message, ...]:
    """Return the messages of a packet."""
    messages: tuple[Message, ...] = pickle.loads(body)  # noqa: S301  # of a process of our own
    return messages


class Batch:
    """Messages of one moment of an event loop, which are sent together."""

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send = send
        self._messages: list[Message] = []

    def add(self, *message: object) -> None:
        """Send a message at the end of this moment."""
        if not self._messages:
            asyncio.get_running_loop().call_soon(self.flush)
        self._messages.append(message)

    def flush(self) -> None:
        """Send what there is."""
        messages, self._messages = self._messages, []
        if messages:
            self._send(packet(*messages))
