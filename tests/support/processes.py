"""Real processes for the tests: started on a free port, awaited, logged and stopped."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Self, TypeVar

import httpx

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0
"""How long a condition is waited for, in seconds."""

START_PATIENCE = 120.0
"""How long a program may take to come up on a busy machine, in seconds."""


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(question: Callable[[], T], patience: float = PATIENCE, every: float = 0.02) -> T:
    """Ask until the answer is truthy and return it; an assertion fails after `patience` seconds."""
    deadline = monotonic() + patience
    pause = threading.Event()
    while not (answer := question()):
        assert monotonic() < deadline, f"still {answer!r} after {patience} s"
        pause.wait(every)
    return answer


class Process:
    """A program under test. Its output goes to a file, so that no pipe ever fills."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                [str(part) for part in command],
                cwd=ROOT,
                env=os.environ | {"PYTHONUNBUFFERED": "1"} | dict(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._popen.pid

    @property
    def output(self) -> str:
        """All that it has printed so far."""
        return self.log.read_text(errors="replace")

    def answers(self, url: str) -> Self:
        """Wait until `url` answers with success."""

        def ready() -> bool:
            assert self._popen.poll() is None, f"it ended early:\n{self.output}"
            try:
                return httpx.get(url, timeout=5, verify=False).is_success
            except httpx.TransportError:
                return False

        eventually(ready, START_PATIENCE)
        return self

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._popen.send_signal(number)

    def wait(self, patience: float = PATIENCE) -> int:
        """Wait for its end and return its exit code."""
        return self._popen.wait(patience)

    def stop(self) -> None:
        """Ask it to end, and make it end if it does not, with the children that it leaves."""
        if self._popen.poll() is None:
            self._popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._popen.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()


def python(*arguments: str | Path) -> list[str | Path]:
    """Return the command that runs this environment's Python with `arguments`."""
    return [sys.executable, *arguments]


def panel_serve(app: str | Path, port: int, *options: str) -> list[str | Path]:
    """Return the command that serves a Panel app on `port`."""
    return python("-m", "panel", "serve", app, "--port", str(port), *options)
