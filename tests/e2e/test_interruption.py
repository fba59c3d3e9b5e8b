"""Work that does not stop by itself is ended by a kill, and its process goes on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from ..support.processes import Process, eventually, free_port, panel_serve, python
from .apps.served import RECORD_CLOSINGS, closings
from .conftest import Start

REASON = "It has run away"


@dataclass(frozen=True)
class Api:
    """The server, as an operator sees it."""

    url: str

    def session(self, session: str) -> dict[str, Any]:
        """What is known of a session, live or ended."""
        answer = httpx.get(f"{self.url}/sessions/{session}")
        return dict(answer.json()) if answer.is_success else {}

    def kill(self, session: str) -> None:
        order = httpx.post(f"{self.url}/sessions/{session}/kill", json={"reason": REASON})
        order.raise_for_status()


@dataclass(frozen=True)
class App:
    """One process that serves the page."""

    url: str
    process: Process


@pytest.fixture(scope="module")
def api(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Api:
    url = f"http://127.0.0.1:{(port := free_port())}"
    database = f"sqlite:///{tmp_path_factory.mktemp('runaway')}/sessions.sqlite3"
    command = python("-m", "panel_session_monitor.entrypoints.cli", "serve", "--port", str(port))
    start(command, {"PSM_DATABASE_URL": database}).answers(f"{url}/health/ready")
    return Api(url)


@pytest.fixture(scope="module", params=["tornado", "fastapi"])
def app(request: pytest.FixtureRequest, start: Start, api: Api) -> App:
    url = f"http://127.0.0.1:{(port := free_port())}"
    origin = f"--allow-websocket-origin=127.0.0.1:{port}"
    command = panel_serve("tests/e2e/apps/runaway.py", port, origin)
    if request.param == "fastapi":
        command = python("-m", "tests.e2e.apps.runaway", str(port))
    process = start(command, {"PSM_SERVER_URL": api.url, "PSM_HEARTBEAT_INTERVAL": "1"})
    known = "docs" if request.param == "fastapi" else "static/js/bokeh.min.js"
    process.answers(f"{url}/{known}")
    return App(f"{url}/runaway", process)


def opened(page: Page, app: App) -> str:
    """Open the page and return the id of its session."""
    page.goto(app.url)
    shown = page.get_by_text(re.compile(r"^session [0-9a-f-]{36}$"))
    expect(shown).to_be_visible(timeout=20_000)
    return str(shown.inner_text()).removeprefix("session ")


@pytest.fixture
def neighbour(browser: Browser) -> Iterator[Page]:
    """The page of somebody else."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("work", ["Loop", "Wait"])
def test_runaway_work_ends_with_its_session_and_the_other_goes_on(
    api: Api, app: App, page: Page, neighbour: Page, work: str
) -> None:
    page.add_init_script(RECORD_CLOSINGS)
    killed, spared = opened(page, app), opened(neighbour, app)
    page.get_by_role("button", name=work).click()
    eventually(lambda: api.session(killed).get("task") == work)

    api.kill(killed)

    [closing] = closings(page, 1)
    assert (closing["code"], closing["reason"]) == (1001, REASON)
    ended = eventually(lambda: (now := api.session(killed))["status"] == "ended" and now)
    assert (ended["end_reason"], ended["kill"]["state"]) == ("killed", "ended")
    neighbour.get_by_role("button", name="Say").click()
    expect(neighbour.get_by_text("still here")).to_be_visible()
    assert api.session(spared)["status"] == "idle"
    assert api.session(spared)["pid"] == app.process.pid
    assert "Traceback" not in app.process.output, app.process.output
