"""The main job: real sessions of three processes are tracked, watched and killed."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from ..support.processes import Process, eventually, free_port, panel_serve, python
from .apps.served import RECORD_CLOSINGS, closings
from .conftest import Start

Json = dict[str, Any]

INTERVAL = 2.0
"""Heartbeat interval of the tests, in seconds."""

CLI = "panel_session_monitor.entrypoints.cli"
DEMO = "src/entrypoints/demo/task_runner.py"


@dataclass(frozen=True)
class World:
    """The whole product, running."""

    api: str
    dashboard: str
    demo: str
    second: str
    in_fastapi: str
    callbacks: Path
    programs: dict[str, Process]

    def sessions(self, **query: str) -> list[Json]:
        """What the API lists."""
        listed: list[Json] = httpx.get(f"{self.api}/sessions", params=query).json()
        return listed

    def session(self, session: str) -> Json:
        """What the API tells of a session, live or ended."""
        shown: Json = httpx.get(f"{self.api}/sessions/{session}").json()
        return shown


@pytest.fixture(scope="module")
def world(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    ports = {name: free_port() for name in ("api", "dashboard", "demo", "second", "fastapi")}
    at = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    callbacks = folder / "callbacks"
    callbacks.touch()
    env = {
        "PSM_SERVER_URL": at["api"],
        "PSM_DATABASE_URL": f"sqlite:///{folder}/world.sqlite3",
        "PSM_HEARTBEAT_INTERVAL": str(INTERVAL),
        "CALLBACKS": str(callbacks),
        "APP_NAME": "in-fastapi",
    }

    def served(app: str, name: str, **more: str) -> Process:
        origin = f"--allow-websocket-origin=127.0.0.1:{ports[name]}"
        return start(panel_serve(app, ports[name], origin), env | more)

    programs = {
        "api": start(python("-m", CLI, "serve", "--port", str(ports["api"])), env),
        "dashboard": served("src/entrypoints/monitor.py", "dashboard"),
        "demo": served(DEMO, "demo"),
        "second": served(DEMO, "second", PSM_DEMO_APP="report-builder"),
        "fastapi": start(python("-m", "tests.e2e.apps.tracked", str(ports["fastapi"])), env),
    }
    programs["api"].answers(f"{at['api']}/health/ready")
    for name in ("dashboard", "demo", "second"):
        programs[name].answers(f"{at[name]}/static/js/bokeh.min.js")
    programs["fastapi"].answers(f"{at['fastapi']}/docs")
    yield World(
        api=at["api"],
        dashboard=f"{at['dashboard']}/monitor",
        demo=f"{at['demo']}/task_runner",
        second=f"{at['second']}/task_runner",
        in_fastapi=f"{at['fastapi']}/tracked",
        callbacks=callbacks,
        programs=programs,
    )
    for name, program in programs.items():
        expected = program.output.count(
            "RuntimeError: a callback fails"
        )  # its traceback is the app's own
        assert program.output.count("Traceback") == expected, f"{name}:\n{program.output}"


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Page]:
    """Somebody at the page of an app."""
    context = browser.new_context(viewport={"width": 1000, "height": 600})
    visitor = context.new_page()
    visitor.add_init_script(RECORD_CLOSINGS)
    yield visitor
    context.close()


def opened(visitor: Page, url: str) -> str:
    """Open an app's page and return the id of the session, which the page shows."""
    visitor.goto(url)
    shown = visitor.get_by_text(re.compile(r"session [0-9a-f-]{36}", re.IGNORECASE))
    expect(shown).to_be_visible(timeout=20_000)
    return str(shown.inner_text())[-36:]


def press_kill(page: Page, session: str) -> None:
    """Press the Kill cell of a session in the dashboard's table."""
    row = page.locator("perspective-viewer tbody tr").filter(has_text=session[-8:])
    row.get_by_text("Kill", exact=True).click()


def seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def test_an_operator_sees_a_session_work_and_ends_it(
    world: World, visitor: Page, page: Page, screenshot: Callable[[Page, str], None]
) -> None:
    session = opened(visitor, world.demo)
    visitor.get_by_role("button", name="30 seconds").click()
    page.goto(world.dashboard)
    table = page.locator("perspective-viewer")
    expect(table.get_by_text("Work of 30 seconds")).to_be_visible(timeout=20_000)
    screenshot(page, "dashboard-with-a-running-session")

    press_kill(page, session)
    page.get_by_label("Reason").fill("Maintenance at noon")
    screenshot(page, "dashboard-kill-dialog")
    pressed = monotonic()
    page.get_by_role("dialog").get_by_role("button", name="Kill", exact=True).click()
    closed = closings(visitor, 1)[-1]
    took = monotonic() - pressed

    assert (closed["code"], closed["reason"]) == (1001, "Maintenance at noon")
    assert took <= INTERVAL + 2
    expect(visitor.get_by_text("Cancelled: this session is being ended.")).to_be_visible()
    expect(visitor.get_by_text("This session was ended. Reload the page")).to_be_visible()
    expect(visitor.get_by_text("Maintenance at noon")).to_be_visible()
    screenshot(visitor, "demo-killed")
    ended = eventually(
        lambda: world.session(session)["status"] == "ended" and world.session(session)
    )
    assert ended["end_reason"] == "killed"
    kill = ended["kill"]
    assert kill["state"] == "ended"
    steps = [kill[f"{step}_at"] for step in ("requested", "delivered", "acknowledged", "ended")]
    assert steps == sorted(steps)
    expect(table.get_by_text("Work of 30 seconds")).to_have_count(0, timeout=20_000)


def test_a_killed_person_starts_anew_by_reloading(world: World, visitor: Page) -> None:
    session = opened(visitor, world.demo)
    eventually(lambda: world.sessions(app_name="task-runner"))
    httpx.post(f"{world.api}/sessions/{session}/kill").raise_for_status()
    closings(visitor, 1)

    fresh = opened(visitor, world.demo)

    assert fresh != session
    eventually(lambda: fresh in [each["session_id"] for each in world.sessions()])


def test_a_session_inside_fastapi_is_tracked_and_killed(world: World, visitor: Page) -> None:
    session = opened(visitor, world.in_fastapi)
    shown = eventually(lambda: world.sessions(app_name="in-fastapi"))[0]
    assert (shown["session_id"], shown["pid"]) == (session, world.programs["fastapi"].pid)

    reason = "Bye <img src=x onerror='window.hit=1'>"
    httpx.post(f"{world.api}/sessions/{session}/kill", json={"reason": reason}).raise_for_status()

    closed = closings(visitor, 1)[-1]
    assert (closed["code"], closed["reason"]) == (1001, reason)
    expect(visitor.get_by_text(reason)).to_be_visible()
    assert visitor.evaluate("window.hit") is None
    eventually(lambda: world.session(session).get("end_reason") == "killed")
    lines = [line for line in world.callbacks.read_text().splitlines() if session in line]
    assert sorted(line.split()[0] for line in lines) == ["coroutine", "function"]


def test_a_blocked_event_loop_does_not_hold_the_callbacks_up(world: World, visitor: Page) -> None:
    session = opened(visitor, world.in_fastapi)
    visitor.get_by_role("button", name="Block").click()
    eventually(lambda: world.session(session).get("task") == "Blocking")

    httpx.post(f"{world.api}/sessions/{session}/kill").raise_for_status()

    eventually(lambda: f"function {session}" in world.callbacks.read_text(), INTERVAL + 2)
    assert world.session(session)["status"] == "running"
    eventually(lambda: world.session(session).get("end_reason") == "killed")


def test_all_sessions_of_an_app_are_ended_at_once(
    world: World, browser: Browser, page: Page, screenshot: Callable[[Page, str], None]
) -> None:
    contexts = [browser.new_context() for _ in range(3)]
    visitors = [context.new_page() for context in contexts]
    for each in visitors:
        each.add_init_script(RECORD_CLOSINGS)
    sessions = [opened(each, world.second) for each in visitors]
    eventually(lambda: len(world.sessions(app_name="report-builder")) == 3)
    page.goto(world.dashboard)
    page.get_by_role("combobox").select_option("report-builder (3)")

    page.get_by_role("button", name="Kill all · 3 sessions").click()
    screenshot(page, "dashboard-kill-all-dialog")
    page.get_by_role("dialog").get_by_role("button", name="Kill 3 sessions").click()

    def ended(session: str) -> bool:
        return bool(world.session(session)["status"] == "ended")

    for each, session in zip(visitors, sessions, strict=True):
        assert closings(each, 1)[-1]["code"] == 1001
        eventually(partial(ended, session))
    for context in contexts:
        context.close()


def test_a_closed_tab_ends_its_session(world: World, browser: Browser) -> None:
    context = browser.new_context()
    session = opened(context.new_page(), world.demo)
    eventually(lambda: session in [each["session_id"] for each in world.sessions()])

    context.close()

    ended = eventually(
        lambda: world.session(session)["status"] == "ended" and world.session(session)
    )
    assert ended["end_reason"] == "closed"
    assert seconds_between(ended["started_at"], ended["ended_at"]) < 15
