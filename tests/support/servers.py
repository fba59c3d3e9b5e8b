"""Servers that say what a test tells them to, over sockets and in threads."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Answer = Callable[[socket.socket], object]

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
"""The head of an event stream that ends when the connection does."""


@dataclass(slots=True)
class RawServer:
    """Where it listens, and the heads of the requests that came, in their order."""

    url: str
    requests: list[str] = field(default_factory=list)


@contextmanager
def answering(answer: Answer) -> Iterator[RawServer]:
    """Answer every request by what `answer` writes to its connection, which is then closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(f"http://127.0.0.1:{listener.getsockname()[1]}")

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, suppress(OSError):
                        server.requests.append(_head(connection))
                        answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def saying(*parts: bytes) -> Answer:
    """Write all parts, one by one."""

    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return answer


def _head(connection: socket.socket) -> str:
    head = b""
    while b"\r\n\r\n" not in head and (part := connection.recv(4096)):
        head += part
    return head.decode()
