"""What the library costs an app: its import, its tasks, its threads and its memory."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.processes import ROOT, python

from .figures import Figure
from .stage import stage

IMPORTS = 5


@contextmanager
def scene() -> Iterator[str]:
    """Start the API; gives its URL."""
    with stage() as on:
        api = on.api()
        on.ready()
        yield api.url


def task(monitor: str) -> list[Figure]:
    """Entering and leaving a task."""
    seconds = _told_by("tasks", monitor)
    microseconds = [1e6 * each for each in seconds]
    return [Figure.of("entering and leaving a task", microseconds, "µs", targets={"median": 20})]


def imports(monitor: str) -> list[Figure]:
    """Importing the library after Panel."""
    seconds = [_told_by("imports", monitor) for _ in range(IMPORTS)]
    return [Figure.latency("importing the library after Panel", seconds, median=60)]


def sessions(monitor: str) -> list[Figure]:
    """A thousand sessions in one process."""
    told = _told_by("sessions", monitor)
    return [
        Figure.of("threads added, 1,000 sessions", [told["threads"]], "", targets={"median": 2}),
        Figure.of(
            "memory per session, 1,000 sessions",
            [told["bytes"] / 1024],
            "KiB",
            targets={"median": 5},
        ),
    ]


def _told_by(program: str, monitor: str) -> Any:
    """Run a program and return what it prints."""
    finished = subprocess.run(
        python("-m", f"benchmarks.programs.{program}"),
        cwd=ROOT,
        env=os.environ | {"PSM_SERVER_URL": monitor},
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    return json.loads(finished.stdout)


CASES = (task, imports, sessions)
