"""`psm demo`: everything at once, on this machine, to see it work."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import click

ENTRYPOINTS = Path(__file__).parents[1]

PATIENCE = 60.0
"""How long the parts may take to come up, in seconds."""

LOOK_EVERY = 0.1
"""Time between two looks at the parts, in seconds."""

BRISK = {"PSM_HEARTBEAT_INTERVAL": "2"}
"""Heartbeats come faster than by default: whoever tries it out is waiting."""

SMALL = {"PSM_POOL_PROCESSES": "3"}
"""Fewer processes than the pool demo has items: some are seen waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A program of the demo; it is up when its sign of life answers.

    That is no page of an app: to load one is to begin a session.
    """

    title: str
    port: int
    page: str
    sign_of_life: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where a person finds it."""
        return f"http://localhost:{self.port}{self.page}"

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, out of reach of the terminal's Ctrl-C: the demo stops its parts in order."""
        return subprocess.Popen(  # noqa: S603  # the commands are below
            [sys.executable, "-m", *self.command],
            env=os.environ | BRISK | dict(self.env),  # noqa: TID251  # handed on, not read
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def answers(self) -> bool:
        """Tell whether it is up."""
        try:
            address = f"http://localhost:{self.port}{self.sign_of_life}"
            with urlopen(address, timeout=5):  # the URL is ours
                return True
        except (URLError, OSError):
            return False


def _api(port: int) -> Part:
    serve = ("panel_session_monitor.entrypoints.cli", "serve", "--log-level", "warning")
    command = (*serve, "--port", str(port))
    return Part(
        title="API", port=port, page="/schema", sign_of_life="/health/ready", command=command
    )


def _panel(title: str, script: str, port: int, env: Mapping[str, str]) -> Part:
    path = ENTRYPOINTS / script
    quiet = ("--log-level", "warning", "--address", "127.0.0.1")
    serve = ("panel", "serve", str(path), "--port", str(port), *quiet)
    return Part(
        title=title,
        port=port,
        page=f"/{path.stem}",
        sign_of_life="/static/js/bokeh.min.js",
        command=serve,
        env=env,
    )


def _port(name: str, default: int, text: str) -> Callable[[Any], Any]:
    ports = click.IntRange(1, 65534)
    return click.option(name, type=ports, default=default, show_default=True, help=text)


@click.command()
@_port("--port", 8000, "Port of the API.")
@_port("--dashboard-port", 5000, "Port of the dashboard.")
@_port("--app-port", 5001, "First port of the two apps.")
def demo(port: int, dashboard_port: int, app_port: int) -> None:
    """Run the API, the dashboard and two apps to try them with, until Ctrl-C."""
    server = {"PSM_SERVER_URL": f"http://localhost:{port}"}
    parts = [
        _api(port),
        _panel("Dashboard", "monitor.py", dashboard_port, server),
        _panel("Task demo", "demo/task_runner.py", app_port, server),
        _panel("Pool demo", "demo/pool.py", app_port + 1, server | SMALL),
    ]
    if len({part.port for part in parts}) < len(parts):
        raise click.UsageError("each part needs a port of its own")
    for part in parts:
        _require_free(part)
    with _running(parts) as programs:
        stop = _on_signals()
        _wait_until_up(parts, programs, stop)
        if not stop.is_set():
            for part in parts:
                click.echo(f"{part.title:<11} {part.url}")
            click.echo("Open the demos and the dashboard; Ctrl-C stops all of them.")
        while not stop.wait(LOOK_EVERY):
            _require_alive(parts, programs)


def _require_free(part: Part) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", part.port))
        except OSError:
            raise click.ClickException(
                f"port {part.port} for the {part.title} is taken: see `psm demo --help`"
            ) from None


def _on_signals() -> threading.Event:
    stop = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, note)
    return stop


def _wait_until_up(
    parts: list[Part], programs: list[subprocess.Popen[bytes]], stop: threading.Event
) -> None:
    waiting = list(parts)
    for _ in range(round(PATIENCE / LOOK_EVERY)):
        waiting = [part for part in waiting if not part.answers()]
        if not waiting or stop.wait(LOOK_EVERY):
            return
        _require_alive(parts, programs)
    raise click.ClickException(f"the {waiting[0].title} did not come up at {waiting[0].url}")


def _require_alive(parts: list[Part], programs: list[subprocess.Popen[bytes]]) -> None:
    for part, program in zip(parts, programs, strict=True):
        if program.poll() is not None:
            raise click.ClickException(f"the {part.title} has ended by itself")


@contextmanager
def _running(parts: list[Part]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start the parts; stop them in the end, one by one and the last one first.

    So the apps can still tell the API that their sessions are over.
    """
    programs: list[subprocess.Popen[bytes]] = []
    try:
        programs += (part.start() for part in parts)
        yield programs
    finally:
        for program in reversed(programs):
            program.terminate()
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
