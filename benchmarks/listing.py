"""A hundred thousand sessions, read a page at a time."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from .crowd import processes, register
from .figures import Figure
from .load import Answer, Client, request
from .stage import stage

PROCESSES, SESSIONS_EACH = 10, 10_000
PAGE = 100
FIRST = f"/sessions?limit={PAGE}"
FIRST_PAGE_EVERY = 3
"""Pages read on the way through the list for each look at the first one."""

NEXT = re.compile(rb'\r\nlink: *<([^>]+)>; *rel="?next', re.IGNORECASE)


@contextmanager
def scene() -> Iterator[int]:
    """Start the server and fill it; gives its port."""
    with stage() as on:
        api = on.api()
        on.ready()
        register(api.port, processes(PROCESSES, sessions_each=SESSIONS_EACH))
        yield api.port


def pages(port: int) -> Iterator[Figure]:
    """Pages of a long list."""
    first, further = asyncio.run(_read(port))
    what = f"page of {PAGE} out of {PROCESSES * SESSIONS_EACH:,}"
    yield Figure.latency(f"first {what}", first, p99=20)
    yield Figure.latency(f"{what}, by cursor, through all of them", further, p99=20)


async def _read(port: int) -> tuple[list[float], list[float]]:
    client = await Client.of(port)
    first: list[float] = []
    further: list[float] = []
    path: str | None = FIRST
    while path:
        answer = await client.ask(request("GET", path))
        path = _following(answer)
        further.append(answer.seconds)
        if len(further) % FIRST_PAGE_EVERY == 0:
            first.append((await client.ask(request("GET", FIRST))).seconds)
    client.close()
    assert len(further) == PROCESSES * SESSIONS_EACH / PAGE, f"{len(further)} pages"
    return first, further


def _following(answer: Answer) -> str | None:
    found = NEXT.search(answer.head)
    if found is None:
        return None
    target = urlsplit(found[1].decode())
    return f"{target.path}?{target.query}"


CASES = (pages,)
