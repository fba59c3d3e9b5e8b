"""What an operator does at the dashboard reaches the pages of tracked apps; nothing is faked."""

import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, expect

from ..support.dashboard import SHORT_LIVED, Visit
from ..support.processes import Process, eventually, free_port, panel_serve, python
from .conftest import Start
from .test_notices import CLI, PATIENCE, Visitor, receives, shown_session, texts

pytestmark = pytest.mark.long

Open = Callable[[str], Visitor]
Look = Callable[[str], Visit]


@dataclass
class World:
    """The API, a server of tracked apps and the dashboard, running."""

    api: str
    app: str
    url: str
    serve: Callable[[], Process]
    monitor: Process = field(init=False)

    def __post_init__(self) -> None:
        self.monitor = self.serve()

    def comes_back(self) -> None:
        """Start the API anew, where it was."""
        self.monitor = self.serve()


@pytest.fixture(scope="module")
def world(start: Start, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder: Path = tmp_path_factory.mktemp("operating")
    monitor, app, dashboard = (free_port() for _ in range(3))
    api = f"http://127.0.0.1:{monitor}"
    env = {
        "PSM_SERVER_URL": api,
        "PSM_DATABASE_URL": f"sqlite:///{folder}/world.sqlite3",
        "PSM_HEARTBEAT_INTERVAL": "2",
        "HOLD": str(folder / "hold"),
    }
    ready = {
        port: start(
            panel_serve(script, port, f"--allow-websocket-origin=127.0.0.1:{port}", *more), env
        )
        for port, script, more in (
            (app, "tests/e2e/apps/told.py", SHORT_LIVED),
            (dashboard, "src/entrypoints/monitor.py", ()),
        )
    }

    def serve() -> Process:
        command = python("-m", CLI, "serve", "--port", str(monitor))
        return start(command, env).answers(f"{api}/health/ready")

    running = World(
        api, f"http://127.0.0.1:{app}/told", f"http://127.0.0.1:{dashboard}/monitor", serve
    )
    for port, program in ready.items():
        program.answers(f"http://127.0.0.1:{port}/static/js/bokeh.min.js")
    return running


@pytest.fixture
def visit(browser: Browser, world: World) -> Iterator[Open]:
    """Open pages of the app of a name, each in a profile of its own."""
    contexts = []

    def at_page(app: str) -> Visitor:
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        page.goto(f"{world.app}?app={app}")
        visitor = Visitor(page, shown_session(page))
        eventually(lambda: httpx.get(f"{world.api}/sessions/{visitor.session}").is_success)
        return visitor

    yield at_page
    for context in contexts:
        context.close()


@pytest.fixture
def look(browser: Browser, world: World) -> Iterator[Look]:
    """Open the dashboard at an address; the browser may not complain in the end."""
    visits: list[Visit] = []

    def at_dashboard(address: str) -> Visit:
        context = browser.new_context(viewport={"width": 1400, "height": 850})
        visits.append(Visit(context.new_page(), world, address))
        visits[-1].page.set_default_timeout(PATIENCE)
        return visits[-1]

    yield at_dashboard
    for each in visits:
        each.page.context.close()
    assert [each.complaints for each in visits] == [[] for _ in visits]


def of_app(operator: Visit, app: str) -> Locator:
    """Return an app's row in the list of the apps."""
    return operator.page.get_by_role("row").filter(has_text=app)


def agrees(operator: Visit, button: str, **fields: str) -> None:
    """Fill in what is asked, and agree."""
    dialog = operator.page.get_by_role("dialog")
    for label, text in fields.items():
        dialog.get_by_label(label).fill(text)
    dialog.get_by_role("button", name=button, exact=True).click()
    expect(dialog).to_be_hidden(timeout=PATIENCE)


def presses(operator: Visit, name: str) -> None:
    operator.page.get_by_role("button", name=name, exact=True).click()


def reads(operator: Visit, text: str) -> None:
    """Wait until the dashboard says so."""
    expect(operator.page.get_by_text(text, exact=True)).to_be_visible(timeout=PATIENCE)


def lists(operator: Visit, *visitors: Visitor) -> None:
    """Wait until the table has just these visitors' sessions."""
    link = operator.page.get_by_role("link", name=re.compile("^Open session"))
    names = sorted(f"Open session {each.session}" for each in visitors)
    read = "links => links.map((link) => link.ariaLabel).sort()"  # at once: rows come and go
    eventually(lambda: link.evaluate_all(read) == names)


def works(visitor: Visitor) -> None:
    """Have the page's server do something."""
    visitor.page.get_by_role("button", name="Look").click()
    expect(visitor.page.get_by_text("not drained")).to_be_visible(timeout=PATIENCE)
    expect(visitor.end).to_have_count(0)


def test_a_message_reaches_the_page_of_a_session_or_all_pages_of_an_app(
    visit: Open, look: Look
) -> None:
    one, other, stranger = visit("sales"), visit("sales"), visit("risk")

    operator = look(f"?session={one.session}")
    presses(operator, "Message")
    agrees(operator, "Send", Message="To one")
    receives(one, "To one")
    operator.page.get_by_role("link", name="Apps", exact=True).click()
    of_app(operator, "sales").get_by_role("button", name="Message").click()
    agrees(operator, "Send", Message="To sales")

    receives(other, "To sales")
    receives(one, "To one", "To sales")
    assert texts(stranger) == []


def test_a_drain_shows_in_old_and_new_pages_and_its_count_falls_until_it_is_undone(
    visit: Open, look: Look
) -> None:
    leaving = visit("draining")
    operator = look("?page=apps")
    row = of_app(operator, "draining")

    row.get_by_role("button", name="Drain", exact=True).click()
    agrees(operator, "Drain", Reason="Version 2", Minutes="70")
    expect(leaving.strip).to_contain_text("Version 2", timeout=PATIENCE)
    coming = visit("draining")

    expect(coming.strip).to_contain_text("Version 2", timeout=PATIENCE)
    expect(coming.strip).to_contain_text(re.compile(r"will be ended in 1:0\d:\d\d"))
    expect(row.get_by_role("cell").nth(1)).to_have_text("2", timeout=PATIENCE)
    leaving.page.close()
    expect(row.get_by_role("cell").nth(1)).to_have_text("1", timeout=PATIENCE)
    row.get_by_role("button", name="Undo drain").click()
    expect(coming.strip).to_have_count(0, timeout=PATIENCE)
    works(coming)


def test_those_selected_are_ended_and_no_other(visit: Open, look: Look) -> None:
    first, spared, last = visitors = [visit("killing") for _ in range(3)]
    operator = look("?app=killing")
    lists(operator, *visitors)

    for each in (first, last):
        operator.page.get_by_role("checkbox", name=each.session).click()
    presses(operator, "Kill selected (2)")
    agrees(operator, "Kill 2 sessions", Reason="Noon")

    for each in (first, last):
        expect(each.end).to_contain_text("Noon", timeout=PATIENCE)
    reads(operator, "Kills ordered here: 2 ended")
    lists(operator, spared)
    works(spared)


def test_a_kill_hits_its_session_though_the_table_is_sorted_anew_and_two_viewers_see_it(
    visit: Open, look: Look
) -> None:
    spared, doomed = visit("shared"), visit("shared")
    operators = [look("?app=shared") for _ in range(2)]
    for each in operators:
        lists(each, spared, doomed)
    operator = operators[0]

    operator.page.get_by_role("button", name=f"Kill session {doomed.session}").click()
    operator.arrange(sort=[["Session time", "desc"]])
    coming = visit("shared")
    for each in operators:
        lists(each, spared, doomed, coming)
    agrees(operator, "Kill", Reason="Noon")

    expect(doomed.end).to_contain_text("Noon", timeout=PATIENCE)
    for each in operators:
        lists(each, spared, coming)
    for visitor in (spared, coming):
        works(visitor)


def test_an_open_dashboard_outlives_the_crash_of_the_server(
    world: World, visit: Open, look: Look
) -> None:
    before = visit("lasting")
    operator = look("?app=lasting")
    lists(operator, before)
    away = operator.page.get_by_text("The server cannot be reached")

    world.monitor.send(signal.SIGKILL)
    world.monitor.wait()
    expect(away).to_be_visible(timeout=PATIENCE)
    lists(operator, before)
    world.comes_back()

    expect(away).to_be_hidden(timeout=PATIENCE)
    after = visit("lasting")
    lists(operator, before, after)
    operator.page.get_by_role("button", name=f"Kill session {after.session}").click()
    agrees(operator, "Kill")
    expect(after.end).to_be_visible(timeout=PATIENCE)
    lists(operator, before)
