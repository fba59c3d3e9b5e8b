"""A served app, seen from outside: what it wrote, orders to it, and the page in a browser."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from ...support.processes import Process, eventually, free_port, panel_serve, python

CHECK_UNUSED = 500
"""Time between two looks for sessions that nobody uses, in milliseconds."""

RECORD_CLOSINGS = """
window.closings = [];
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...parts) {
    super(...parts);
    window.sockets.push(this);
    this.addEventListener("close", ({code, reason}) =>
      window.closings.push({code, reason, at: Date.now() / 1000}));
  }
};
"""


class Served:
    """A server process with the app of `endings.py`."""

    def __init__(self, process: Process, folder: Path, port: int) -> None:
        self.process = process
        self.folder = folder
        self.port = port

    def answers(self) -> None:
        """Wait until it serves, yet make no session."""
        self.process.answers(f"http://127.0.0.1:{self.port}/static/js/bokeh.min.js")

    def url(self, **arguments: str) -> str:
        return str(httpx.URL(f"http://127.0.0.1:{self.port}/endings", params=arguments))

    def events(self, event: str, session: str | None = None) -> list[dict[str, Any]]:
        """What the app wrote, of one session or of all, in the order of time."""
        file = self.folder / "events.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        told = [json.loads(line) for line in lines if line.endswith("}")]
        return [
            each for each in told if each["event"] == event and session in (None, each["session"])
        ]

    def when(self, event: str, session: str, patience: float = 10) -> float:
        """Wait for an event of a session and return when it was."""
        return float(eventually(lambda: self.events(event, session), patience)[0]["at"])

    def kill(self, session: str, reason: str) -> None:
        draft = self.folder / f"draft-{session}"
        draft.write_text(reason)
        draft.rename(self.folder / f"kill-{session}")

    def load(self, **arguments: str) -> tuple[str, str]:
        """Load the page without a browser; return the id of its session and its token."""
        token = re.search(r'"token":"([^"]+)"', httpx.get(self.url(**arguments)).text)
        assert token
        return str(self.events("created")[-1]["session"]), token[1]

    def open(self, page: Page, **arguments: str) -> str:
        """Load the page and return the id of its session."""
        page.add_init_script(RECORD_CLOSINGS)
        page.goto(self.url(**arguments))
        session = shown_session(page)
        self.when("ready", session)
        return session


def serve(start: Callable[..., Process], folder: Path, *, unused: int, options: str = "") -> Served:
    """Start the app; `unused` sessions live so many milliseconds. Do wait for it to answer."""
    port = free_port()
    numbers = [str(each) for each in (port, unused, CHECK_UNUSED)]
    command = python("-m", "tests.e2e.apps.endings_in_fastapi", *numbers)
    if options != "fastapi":
        origin = ("--allow-websocket-origin", f"127.0.0.1:{port}")
        lifetime = ("--unused-session-lifetime", str(unused))
        sweep = ("--check-unused-sessions", str(CHECK_UNUSED))
        app = "tests/e2e/apps/endings.py"
        command = panel_serve(app, port, *origin, *lifetime, *sweep, *options.split())
    return Served(start(command, {"CONTROL": str(folder)}), folder, port)


def shown_session(page: Page) -> str:
    """Wait for the page's content and return the id of the session that it names."""
    text = page.get_by_text(re.compile(r"^session \w+$"))
    expect(text).to_be_visible(timeout=20_000)
    return str(text.inner_text()).removeprefix("session ")


def closings(page: Page, count: int) -> list[dict[str, Any]]:
    """Wait until the page has seen so many WebSockets close, and return all it has seen."""
    page.wait_for_function("count => window.closings.length >= count", arg=count, timeout=10_000)
    seen: list[dict[str, Any]] = page.evaluate("window.closings")
    return seen
