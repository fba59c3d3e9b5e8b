"""A script whose work runs on the cluster of PSM_POOL_URL until it is stopped; says when it does.

Run with the folder in which the work leaves a note when it is told to stop.
"""

import asyncio
import sys
from functools import partial
from pathlib import Path

from panel_session_monitor import SessionClient

from tests.support import work


class Shown:
    """A task that says at its output that it is shown anything."""

    @property
    def progress(self) -> float | None:
        return None

    @progress.setter
    def progress(self, value: float | None) -> None:
        sys.stdout.write("working\n")


async def main(folder: Path) -> None:
    tracker = SessionClient.get_tracker("script", server_url="http://localhost:9")
    async with tracker.pool() as share:
        await share.map(partial(work.until_stopped, folder), [1], task=Shown())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
