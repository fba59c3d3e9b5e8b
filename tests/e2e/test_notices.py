"""What people see in the page of a tracked app: messages, a drain, the end and how to go on."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from ..support.processes import Process, eventually, free_port, panel_serve, python
from .apps.served import RECORD_CLOSINGS, closings
from .conftest import Start

CLI = "panel_session_monitor.entrypoints.cli"
NASTY = "<b>bold</b>\nيرجى حفظ العمل\n" + "Wartungsfenster" * 12
PATIENCE = 30_000
"""How long the browser waits for what must come, in milliseconds."""

Visit = Callable[..., "Visitor"]
Screenshot = Callable[[Page, str], None]


@dataclass(frozen=True)
class World:
    """The API and two servers of tracked apps, running."""

    api: str
    tornado: str
    fastapi: str
    hold: Path
    """The app blocks its event loop as long as this file is there."""

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Order something as an operator, and return the answer."""
        answer = httpx.post(f"{self.api}{path}", json=body).raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def drain(self, app: str, **terms: Any) -> None:
        httpx.put(f"{self.api}/apps/{app}/drain", json=terms).raise_for_status()

    def undrain(self, app: str) -> None:
        httpx.delete(f"{self.api}/apps/{app}/drain").raise_for_status()

    def heard(self, session: str) -> None:
        """Wait until the session's next heartbeat was answered."""
        url = f"{self.api}/sessions/{session}"
        before = httpx.get(url).json()["last_heartbeat"]
        eventually(lambda: httpx.get(url).json()["last_heartbeat"] > before)

    def happened(self, session: str, kind: str) -> list[str | None]:
        """Return the texts of the events of a kind in a session's life."""
        events = httpx.get(f"{self.api}/sessions/{session}/events").raise_for_status().json()
        return [each["text"] for each in events if each["kind"] == kind]


@dataclass(frozen=True)
class Visitor:
    """Somebody at the page of an app."""

    page: Page
    session: str

    @property
    def toasts(self) -> Locator:
        return self.page.locator(".psm-toast")

    @property
    def strip(self) -> Locator:
        return self.page.locator(".psm-strip")

    @property
    def end(self) -> Locator:
        return self.page.get_by_role("alertdialog", name="This session has been ended")


@pytest.fixture(scope="module")
def world(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("notices")
    ports = [free_port() for _ in range(3)]
    api, tornado, fastapi = (f"http://127.0.0.1:{port}" for port in ports)
    (folder / "callbacks").touch()
    env = {
        "PSM_SERVER_URL": api,
        "PSM_DATABASE_URL": f"sqlite:///{folder}/world.sqlite3",
        "PSM_HEARTBEAT_INTERVAL": "2",
        "CALLBACKS": str(folder / "callbacks"),
        "APP_NAME": "in-fastapi",
        "HOLD": str(folder / "hold"),
    }
    origin = f"--allow-websocket-origin=127.0.0.1:{ports[1]}"
    programs: dict[str, Process] = {
        f"{api}/health/ready": start(python("-m", CLI, "serve", "--port", str(ports[0])), env),
        f"{tornado}/static/js/bokeh.min.js": start(
            panel_serve("tests/e2e/apps/told.py", ports[1], origin), env
        ),
        f"{fastapi}/docs": start(python("-m", "tests.e2e.apps.tracked", str(ports[2])), env),
    }
    for url, program in programs.items():
        program.answers(url)
    yield World(api, f"{tornado}/told", f"{fastapi}/tracked", folder / "hold")
    for program in programs.values():
        own = program.output.count("RuntimeError: a callback fails")
        assert program.output.count("Traceback") == own, program.output


@pytest.fixture
def visit(browser: Browser, world: World) -> Iterator[Visit]:
    """Open pages, each in a profile of its own; nothing may go wrong in them."""
    contexts, trouble = [], []

    def at_page(url: str | None = None, *, width: int = 1000, **wishes: str) -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": 700})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.add_init_script(RECORD_CLOSINGS)
        page.goto(str(httpx.URL(url or world.tornado, params=wishes)))
        visitor = Visitor(page, shown_session(page))
        eventually(lambda: httpx.get(f"{world.api}/sessions/{visitor.session}").is_success)
        return visitor

    yield at_page
    for context in contexts:
        context.close()
    assert trouble == []


def shown_session(page: Page) -> str:
    text = page.get_by_text(re.compile(r"^session [0-9a-f-]{36}$"))
    expect(text).to_be_visible(timeout=PATIENCE)
    return str(text.inner_text()).removeprefix("session ")


def texts(visitor: Visitor) -> list[str]:
    found: list[str] = visitor.page.locator(".psm-toast .psm-text").all_text_contents()
    return found


def receives(visitor: Visitor, *words: str) -> None:
    """Wait until the page has just these messages."""
    eventually(lambda: texts(visitor) == list(words))


# Messages


@pytest.mark.parametrize("server", ["tornado", "fastapi"])
def test_a_message_is_shown_as_it_is_written_and_stays_until_it_is_closed(
    world: World, visit: Visit, server: str, screenshot: Screenshot
) -> None:
    reader, other = (visit(getattr(world, server)) for _ in range(2))

    world.post(f"/sessions/{reader.session}/messages", text=NASTY, sent_by="<i>Ada</i>")
    receives(reader, NASTY)
    world.post(f"/sessions/{reader.session}/messages", text="Another one")
    receives(reader, NASTY, "Another one")

    screenshot(reader.page, f"notices-messages-{server}")
    expect(reader.toasts.first).to_contain_text("Message from <i>Ada</i>")
    expect(reader.toasts.last).to_contain_text("Message from an operator")
    eventually(
        lambda: world.happened(reader.session, "message delivered") == [NASTY, "Another one"]
    )
    close = reader.page.get_by_role("button", name="Close this message")
    close.first.focus()
    reader.page.keyboard.press("Enter")
    receives(reader, "Another one")
    expect(close).to_be_focused()
    assert texts(other) == []


def test_a_message_to_an_app_or_to_all_reaches_every_page_of_it(world: World, visit: Visit) -> None:
    readers = [visit(app="sales"), visit(app="sales")]
    others = [visit(app="other"), visit(world.fastapi)]

    world.post("/apps/sales/messages", text="To sales")
    for reader in readers:
        receives(reader, "To sales")
    world.post("/messages", text="To all")

    for reader in readers:
        receives(reader, "To sales", "To all")
    for reader in others:
        receives(reader, "To all")


def test_a_message_counts_as_delivered_only_when_the_page_has_it(
    world: World, visit: Visit
) -> None:
    reader = visit()
    world.hold.touch()
    reader.page.get_by_role("button", name="Block").click()
    eventually(world.hold.with_suffix(".begun").exists)

    world.post(f"/sessions/{reader.session}/messages", text="Hello")
    world.heard(reader.session)
    world.heard(reader.session)

    assert texts(reader) == world.happened(reader.session, "message delivered") == []
    world.hold.unlink()
    eventually(lambda: world.happened(reader.session, "message delivered") == ["Hello"])
    assert texts(reader) == ["Hello"]


def test_a_page_that_has_lost_its_connection_is_told_when_it_is_back(
    world: World, visit: Visit
) -> None:
    reader = visit(reconnect="on")
    world.post(f"/sessions/{reader.session}/messages", text="Before")
    receives(reader, "Before")
    # BokehJS does not get over a connection that breaks within a message: let it come to rest.
    eventually(lambda: world.happened(reader.session, "message delivered") == ["Before"])
    reader.page.context.set_offline(True)
    reader.page.evaluate("window.sockets.at(-1).close()")
    closings(reader.page, 1)

    world.post(f"/sessions/{reader.session}/messages", text="Meanwhile")
    world.heard(reader.session)
    world.heard(reader.session)
    assert world.happened(reader.session, "message delivered") == ["Before"]
    reader.page.context.set_offline(False)

    receives(reader, "Before", "Meanwhile")
    eventually(lambda: len(world.happened(reader.session, "message delivered")) == 2)


# Drains


@pytest.mark.parametrize(
    "wishes",
    [
        {"app": "plain"},
        {"app": "fast", "template": "fast", "theme": "dark", "notifications": "on"},
        {"app": "bootstrap", "template": "bootstrap"},
        {"app": "material", "template": "material", "theme": "dark"},
    ],
    ids=lambda wishes: wishes["app"],
)
def test_a_drain_is_told_in_old_and_new_pages_until_it_is_taken_back(
    world: World, visit: Visit, wishes: dict[str, str], screenshot: Screenshot
) -> None:
    app = wishes["app"]
    pages = [visit(**wishes)]

    world.drain(app, reason="<i>An update</i>", kill_after=4000)
    expect(pages[0].strip).to_be_visible(timeout=PATIENCE)
    pages.append(visit(**wishes))

    for each in pages:
        expect(each.strip).to_contain_text("This app is being drained.", timeout=PATIENCE)
        expect(each.strip).to_contain_text("<i>An update</i>")
        expect(each.strip).to_contain_text(re.compile(r"will be ended in 1:0\d:\d\d"))
        theme = "dark" if "theme" in wishes else "light"
        expect(each.page.locator(".psm-notices")).to_have_attribute("data-theme", theme)
    screenshot(pages[0].page, f"notices-drain-{app}")
    pages[0].page.get_by_role("button", name="Look").click()
    expect(pages[0].page.get_by_text("drained for An update")).to_be_visible(timeout=PATIENCE)
    world.undrain(app)
    for each in pages:
        expect(each.strip).to_have_count(0, timeout=PATIENCE)


def test_the_strip_can_be_folded_but_not_lost(world: World, visit: Visit) -> None:
    reader = visit(app="folding", width=390)
    world.drain("folding", reason="An update", kill_after=600)

    reader.page.get_by_role("button", name="Fold this notice").click(timeout=PATIENCE)
    folded = reader.page.get_by_role("button", name=re.compile(r"Being drained \d+:\d\d"))
    expect(folded).to_be_visible()
    world.post(f"/sessions/{reader.session}/messages", text="Hello")
    receives(reader, "Hello")
    expect(folded).to_be_focused()
    folded.press("Enter")

    expect(reader.strip).to_contain_text("An update")
    world.undrain("folding")


# Ends


@pytest.mark.parametrize("server", ["tornado", "fastapi"])
def test_a_killed_page_says_who_and_why_and_goes_on_in_a_new_session(
    world: World, visit: Visit, server: str, screenshot: Screenshot
) -> None:
    reader = visit(getattr(world, server))

    why = {"reason": "It takes <i>all</i> memory", "requested_by": "Ada"}
    world.post(f"/sessions/{reader.session}/kill", **why)

    expect(reader.end).to_be_visible(timeout=PATIENCE)
    expect(reader.end).to_contain_text("Ada has ended it.")
    expect(reader.end).to_contain_text("It takes <i>all</i> memory")
    [closing] = closings(reader.page, 1)
    assert (closing["code"], closing["reason"]) == (1001, "It takes <i>all</i> memory")
    screenshot(reader.page, f"notices-end-{server}")
    expect(reader.end).to_be_visible()
    reload = reader.page.get_by_role("button", name="Load the page anew")
    expect(reload).to_be_focused()
    reload.press("Enter")
    expect(reader.end).to_have_count(0, timeout=PATIENCE)
    assert shown_session(reader.page) != reader.session


def test_a_drain_ends_what_is_left_at_its_time_and_says_why(world: World, visit: Visit) -> None:
    reader = visit(app="ending")

    world.drain("ending", reason="An update", requested_by="Ada", kill_after=3)

    expect(reader.strip).to_contain_text(re.compile(r"ended in 0:0[123]"), timeout=PATIENCE)
    expect(reader.end).to_contain_text("Ada has ended it.", timeout=PATIENCE)
    expect(reader.end).to_contain_text("An update")
    expect(reader.strip).to_have_count(0)
    world.undrain("ending")
    reader.page.get_by_role("button", name="Load the page anew").click()
    assert shown_session(reader.page) != reader.session


def test_a_page_whose_callback_keeps_the_lock_is_told_of_its_end(
    world: World, visit: Visit
) -> None:
    reader = visit()
    reader.page.get_by_role("button", name="Keep the lock").click()

    world.post(f"/sessions/{reader.session}/kill")

    expect(reader.end).to_contain_text("An operator has ended it.", timeout=PATIENCE)
    expect(reader.end).to_contain_text("Session terminated by administrator")
