"""A script that fills a pool with work that heeds nothing, says so, and then ends as it is told.

Run with two words: `exit`, `hang` until it gets a signal, or `wait` for the work; and which work.
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from panel_session_monitor import SessionClient
from panel_session_monitor.pool import get_manager

from tests.fakes.progress import RecordedProgress
from tests.support import work


async def main(then: str, function: Callable[..., Any]) -> None:
    tracker = SessionClient.get_tracker("script", server_url="http://localhost:9")
    get_manager().Event()
    async with tracker.pool() as share:
        shown = RecordedProgress()
        working = asyncio.ensure_future(share.map(function, range(2), task=shown))
        await asyncio.to_thread(shown.wait, 2)
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
        asyncio.run(main(sys.argv[1], getattr(work, sys.argv[2])))
