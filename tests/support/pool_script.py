"""A script that fills a pool with work that heeds nothing, says so, and then ends as it is told.

Run with one word: `exit`, `hang` until it gets a signal, or `wait` for the work.
"""

import asyncio
import sys
import threading
from contextlib import suppress

from panel_session_monitor import SessionClient
from panel_session_monitor.pool import get_manager

from tests.support import work


class Shown:
    """A task that says when it is shown anything."""

    def __init__(self) -> None:
        self.seen = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    @property
    def progress(self) -> float | None:
        return None

    @progress.setter
    def progress(self, value: float | None) -> None:
        self.loop.call_soon_threadsafe(self.seen.set)


async def main(then: str) -> None:
    tracker = SessionClient.get_tracker("script", server_url="http://localhost:9")
    get_manager().Event()
    async with tracker.pool() as share:
        shown = Shown()
        working = asyncio.ensure_future(share.map(work.heed_nothing_for, range(2), task=shown))
        await shown.seen.wait()
        sys.stdout.write("working\n")
        match then:
            case "exit":
                sys.exit(0)
            case "hang":
                threading.Event().wait()
            case "wait":
                await working


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(main(sys.argv[1]))
