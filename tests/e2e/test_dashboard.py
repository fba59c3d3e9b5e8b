"""The dashboard in a real browser, over sessions held in memory."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from panel_session_monitor.domain.ids import KillId
from panel_session_monitor.domain.kill import Kill
from panel_session_monitor.domain.session import Session
from playwright.sync_api import Browser, Locator, Page, expect

from ..support.dashboard import APP, PLUGIN, Visit, World, a_session, a_task, ago
from ..support.processes import eventually, free_port, panel_serve
from .conftest import Start

Screenshot = Callable[[Page, str], None]

GREEN, YELLOW, RED = "rgb(24, 128, 56)", "rgb(251, 192, 45)", "rgb(197, 34, 31)"
COLOURS = {"idle": GREEN, "running": YELLOW, "stale": RED}

STATUS_CELLS = """
[...window.grid.querySelectorAll("tbody td")]
  .filter((td) => window.grid.getMeta(td).column_header[0] === "Status")
  .map((td) => [window.grid.getMeta(td).user, td.textContent,
                getComputedStyle(td).backgroundColor, getComputedStyle(td).color])
"""


def some_of_each(number: int) -> list[Session]:
    """Return so many sessions, with every status by turns."""
    kinds: list[dict[str, Any]] = [{}, {"task": a_task()}, {"last_heartbeat": ago(130)}]
    return [
        a_session(each, app=f"app {each % 4}", **kinds[each % 3]) for each in range(1, number + 1)
    ]


def status_cells(visit: Visit) -> list[list[str]]:
    cells: list[list[str]] = visit.grid(STATUS_CELLS)
    return cells


def rightly_coloured(visit: Visit) -> bool:
    """Tell whether there are status cells and each has its value's colour."""
    cells = status_cells(visit)
    return bool(cells) and all(
        text == value and background == COLOURS[value]
        for value, text, background, _ in cells
        if value
    )


def test_status_cells_are_coloured_by_value(world: World, open_page: Callable[[], Visit]) -> None:
    world.holds(a_session(1), a_session(2, task=a_task()), a_session(3, last_heartbeat=ago(120)))

    visit = open_page()
    visit.shows("user 003")
    eventually(lambda: rightly_coloured(visit))

    assert status_cells(visit) == [
        ["idle", "idle", GREEN, "rgb(255, 255, 255)"],
        ["running", "running", YELLOW, "rgb(32, 33, 36)"],
        ["stale", "stale", RED, "rgb(255, 255, 255)"],
    ]


def test_every_column_that_fits_is_shown(
    world: World, page: Page, open_page: Callable[[], Visit]
) -> None:
    world.holds(*some_of_each(12))
    page.set_viewport_size({"width": 1280, "height": 720})

    visit = open_page()
    visit.shows("user 001")

    expect(page.locator("regular-table thead th").last).to_contain_text("Started", timeout=15_000)
    expect(page.locator("perspective-viewer #settings_button")).to_be_hidden()  # it covers a header


def test_the_colours_stay_right_whatever_the_viewer_does(
    world: World, open_page: Callable[[], Visit]
) -> None:
    world.holds(*some_of_each(200))
    visit = open_page()
    visit.shows("user 001")

    for arrangement in (
        {"sort": [["Status", "desc"]]},
        {"sort": [["User", "desc"]], "filter": [["App", "==", "app 1"]]},
        {"group_by": ["Status"], "filter": []},
        {"group_by": ["App", "Session"], "sort": []},
        {"group_by": [], "columns": ["App", "Status", "Kill"]},
    ):
        visit.arrange(**arrangement)
        eventually(lambda: rightly_coloured(visit))

    visit.grid("window.grid.scrollTop = 2000")
    eventually(lambda: rightly_coloured(visit) and "user 001" not in str(visit.texts))
    world.holds(*reversed(some_of_each(190)))
    expect(visit.page.get_by_text("190 sessions", exact=True)).to_be_visible()
    eventually(lambda: rightly_coloured(visit))


def test_sort_filter_groups_and_place_survive_refreshes(
    world: World, open_page: Callable[[], Visit]
) -> None:
    world.holds(*some_of_each(200))
    visit = open_page()
    visit.shows("user 001")
    arranged = visit.arrange(
        sort=[["Session time", "desc"]], filter=[["App", "!=", "app 3"]], group_by=["App", "User"]
    )
    group = visit.page.locator("regular-table tbody th.psp-tree-label", has_text="app 0").first
    group.click(position={"x": 34, "y": 10})
    expect(group).to_have_class(re.compile("psp-tree-label-expand"))
    visit.grid("window.grid.scrollTop = 700")
    place = visit.grid("window.grid.scrollTop")

    for number in range(201, 501):
        world.gains(a_session(number, app="app 0"))
        if number % 50 == 0:
            expect(visit.page.get_by_text(f"{number} sessions", exact=True)).to_be_visible()

    assert visit.arrangement == arranged
    assert visit.grid("window.grid.scrollTop") == place == 700
    visit.grid("window.grid.scrollTop = 0")
    expect(group).to_have_class(re.compile("psp-tree-label-expand"))


def ask_to_kill(visit: Visit, user: str) -> Locator:
    """Click the Kill cell in the row of `user` and return the dialog."""
    row = visit.page.locator("regular-table tbody tr", has=visit.page.get_by_text(user, exact=True))
    row.locator("td.psm-kill").click()
    dialog = visit.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    return dialog


def unfolded(visit: Visit) -> None:
    """Wait until the dialog has faded in."""
    fade = visit.page.locator(".MuiDialog-container").filter(visible=True)
    expect(fade).to_have_css("opacity", "1")


def confirm(dialog: Locator, name: str = "Kill", reason: str | None = None) -> None:
    if reason is not None:
        dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=name, exact=True).click()
    expect(dialog).to_be_hidden()


def killed(world: World) -> dict[str | None, Kill]:
    return {session.user_id: session.kill for session in world.live if session.kill}


def test_a_kill_ends_the_session_that_was_clicked_though_the_rows_move(
    world: World, open_page: Callable[[], Visit], screenshot: Screenshot
) -> None:
    sessions = [a_session(number) for number in range(10, 15)]
    world.holds(*sessions)
    visit = open_page()
    visit.shows("user 012")
    visit.arrange(sort=[["User", "asc"]])

    dialog = ask_to_kill(visit, "user 012")
    expect(dialog.get_by_text("user 012")).to_be_visible()
    expect(dialog.get_by_text(str(sessions[2].session_id))).to_be_visible()
    unfolded(visit)
    screenshot(visit.page, "dashboard-kill")
    world.holds(*(a_session(number) for number in range(1, 6)), *sessions)
    visit.shows("user 001")
    confirm(dialog, reason="  Deploying 2.1 ")

    visit.shows("requested")
    kills = killed(world)
    assert list(kills) == ["user 012"]
    assert (kills["user 012"].reason, kills["user 012"].requested_by) == ("Deploying 2.1", "olga")
    screenshot(visit.page, "dashboard-kill-ordered")

    now = datetime.now(UTC)
    kill = replace(kills["user 012"], requested_at=now - timedelta(seconds=11))
    world.holds(replace(sessions[2], kill=kill), *sessions[3:])
    visit.shows("requested · overdue")
    world.holds(replace(sessions[2], kill=kill.delivered(now)), *sessions[3:])
    visit.shows("delivered")
    world.holds(*sessions[3:])
    expect(visit.page.get_by_text("Kills ordered here: 1 ended")).to_be_visible()


def test_cancel_kills_nobody(world: World, open_page: Callable[[], Visit]) -> None:
    world.holds(a_session(1))
    visit = open_page()
    visit.shows("user 001")

    confirm(ask_to_kill(visit, "user 001"), name="Cancel")

    assert killed(world) == {}


def test_what_goes_wrong_with_a_kill_is_told(world: World, open_page: Callable[[], Visit]) -> None:
    gone, other = a_session(1), a_session(2)
    world.holds(gone, other)
    visit = open_page()
    visit.shows("user 001")

    dialog = ask_to_kill(visit, "user 001")
    world.holds(other)
    expect(visit.page.get_by_text("1 session", exact=True)).to_be_visible()
    confirm(dialog)

    notice = f"Not killed: session {gone.session_id} has ended"
    expect(visit.page.get_by_role("alert").get_by_text(notice)).to_be_visible()
    visit.page.get_by_role("button", name="Close").click()
    expect(visit.page.get_by_text(notice)).to_be_hidden()


def test_kill_all_names_the_number_and_tells_how_many_were_reached(
    world: World, open_page: Callable[[], Visit], screenshot: Screenshot
) -> None:
    world.holds(
        *(a_session(number, app="sales") for number in range(1, 13)),
        *(a_session(number, app="risk") for number in range(21, 24)),
    )
    visit = open_page()
    visit.shows("user 001")

    visit.page.get_by_role("combobox").select_option("sales (12)")
    visit.page.get_by_role("button", name="Kill all · 12 sessions").click()
    dialog = visit.page.get_by_role("dialog")
    expect(dialog.get_by_text("and 2 more")).to_be_visible()
    unfolded(visit)
    screenshot(visit.page, "dashboard-kill-all")
    confirm(dialog, "Kill 12 sessions", reason="Maintenance")

    expect(visit.page.get_by_text("Kill ordered for 12 sessions of sales.")).to_be_visible()
    kills = killed(world)
    assert set(kills) == {f"user {number:03}" for number in range(1, 13)}
    assert {kill.reason for kill in kills.values()} == {"Maintenance"}


def test_kill_all_ends_the_app_that_was_asked_about_though_the_choice_moves(
    world: World, open_page: Callable[[], Visit]
) -> None:
    other = [a_session(number, app="zulu") for number in range(21, 24)]
    world.holds(a_session(1, app="alpha"), *other)
    visit = open_page()
    visit.shows("user 001")
    visit.page.get_by_role("combobox").select_option("alpha (1)")
    visit.page.get_by_role("button", name="Kill all · 1 session").click()
    dialog = visit.page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Kill 1 session")).to_be_visible()

    world.holds(*other)
    expect(visit.page.get_by_role("combobox")).to_have_value('"alpha"')
    expect(dialog.get_by_role("button", name="Kill 0 sessions")).to_be_visible()
    dialog.get_by_role("button", name="Kill 0 sessions").click()

    expect(visit.page.get_by_text("Kill ordered for 0 sessions of alpha.")).to_be_visible()
    assert killed(world) == {}


def test_out_of_reach_is_told_and_ends_by_itself(
    world: World, open_page: Callable[[], Visit], screenshot: Screenshot
) -> None:
    sessions = some_of_each(6)
    world.holds(*sessions)
    visit = open_page()
    visit.shows("user 001")
    table = visit.cell("user 001")

    world.holds(*sessions, problem="connection refused by http://localhost:8000")
    banner = visit.page.get_by_text("The server cannot be reached: connection refused")
    expect(banner).to_be_visible()
    expect(banner).to_contain_text(re.compile(r"What is shown is [1-9] s old"))
    expect(table).to_be_visible()
    screenshot(visit.page, "dashboard-unreachable")
    confirm(ask_to_kill(visit, "user 001"))
    expect(visit.page.get_by_text("Not killed: connection refused")).to_be_visible()

    world.holds(*sessions, a_session(7))
    expect(banner).to_be_hidden()
    visit.shows("user 007")


NAMES = [
    "<script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    "&lt;b&gt;bold&lt;/b&gt;",
    "🚀 launch control",
    "طلبات العملاء",
]


def test_names_are_text_everywhere(world: World, open_page: Callable[[], Visit]) -> None:
    visit = open_page()
    said = visit.page.get_by_text

    for number, name in enumerate(NAMES, 1):
        world.holds(a_session(number, app=name, user=name, task=a_task(name=name)))
        visit.shows(name)
        expect(visit.cell(name)).to_have_count(3)
        visit.page.get_by_role("combobox").select_option(f"{name} (1)")
        dialog = ask_to_kill(visit, name)
        expect(dialog.get_by_text(name, exact=True)).to_have_count(3)
        confirm(dialog)
        expect(said(f"Kill ordered for the session of {name} in {name}")).to_be_visible()
        visit.page.get_by_role("button", name="Kill all").click()
        expect(dialog.get_by_text(name, exact=True)).to_have_count(2)
        confirm(dialog, "Kill 1 session")
        expect(said(f"Kill ordered for 1 session of {name}.")).to_be_visible()
        visit.page.get_by_role("combobox").select_option("All apps")

    world.holds(*(a_session(number, app=name) for number, name in enumerate(NAMES, 1)))
    visit.arrange(group_by=["App", "User"])
    for name in NAMES:
        label = visit.page.locator("regular-table th").get_by_text(name, exact=True)
        expect(label).to_be_visible()
    assert visit.page.title() == "Panel Session Monitor"


def test_without_sessions_it_says_what_to_do(
    world: World, open_page: Callable[[], Visit], screenshot: Screenshot
) -> None:
    world.holds()
    visit = open_page()
    expect(
        visit.page.get_by_text("from panel_session_monitor import SessionClient")
    ).to_be_visible()
    code = visit.page.get_by_text('tracker = SessionClient.get_tracker(app_name="my_app")')
    expect(code).to_be_visible()
    screenshot(visit.page, "dashboard-empty")

    world.holds(*some_of_each(3))
    visit.shows("user 001")
    expect(code).to_be_hidden()
    eventually(lambda: rightly_coloured(visit))
    world.holds()
    expect(code).to_be_visible()
    world.holds(*some_of_each(4))
    visit.shows("user 004")


def test_it_looks_well_by_day_and_by_night(
    world: World, open_page: Callable[[], Visit], screenshot: Screenshot
) -> None:
    kill = Kill(kill_id=KillId(UUID(int=9)), requested_at=ago(3), reason="Maintenance")
    world.holds(
        a_session(1, app="sales-report", user="alice"),
        a_session(14, app="sales-report", user="bob", task=a_task()),
        a_session(95, app="risk-explorer", user="carol", task=a_task("Simulating paths", 0.83)),
        a_session(240, app="risk-explorer", user="dave", last_heartbeat=ago(185)),
        a_session(3, app="risk-explorer", user="erin", kill=kill.delivered(ago(2))),
        a_session(1700, app="data-quality", user="frank", kill=replace(kill, requested_at=ago(60))),
        a_session(31, app="data-quality", user="grace", task=a_task("Checking 2,310 files", 0.05)),
        a_session(2, app="data-quality", user="heidi"),
    )
    visit = open_page()
    visit.shows("alice")
    eventually(lambda: rightly_coloured(visit))
    screenshot(visit.page, "dashboard-light")

    visit.page.get_by_label("Toggle theme").click()
    eventually(lambda: visit.arrangement["theme"] == "Pro Dark")
    eventually(lambda: rightly_coloured(visit))
    visit.page.mouse.move(700, 700)
    expect(visit.page.get_by_text("Toggle theme")).to_be_hidden()
    screenshot(visit.page, "dashboard-dark")
    visit.arrange(group_by=["App", "User"])
    visit.page.locator("regular-table th").get_by_text("erin").wait_for()
    eventually(lambda: rightly_coloured(visit))
    screenshot(visit.page, "dashboard-grouped")


def test_a_server_that_runs_its_scripts_before_it_serves_shows_it_too(
    start: Start, page: Page
) -> None:
    port = free_port()
    program = start(panel_serve(APP, port, *PLUGIN, "--warm"))
    program.answers(f"http://127.0.0.1:{port}/world")
    warm = World(f"http://127.0.0.1:{port}", program)
    warm.holds(a_session(1))

    Visit(page, warm).shows("user 001")

    assert "Traceback" not in program.output, program.output


def test_nothing_is_kept_of_a_viewer_who_has_left(world: World, browser: Browser) -> None:
    world.holds(a_session(1))
    context = browser.new_context()
    visit = Visit(context.new_page(), world)
    visit.shows("user 001")
    ask_to_kill(visit, "user 001")
    assert world.viewers

    context.close()

    eventually(lambda: not world.viewers, patience=20, every=1)


@pytest.mark.long
def test_viewers_come_and_go(world: World, browser: Browser) -> None:
    world.holds(a_session(1))
    contexts = [browser.new_context() for _ in range(2)]
    for context in contexts:
        Visit(context.new_page(), world).shows("user 001")

    for context in contexts:
        context.close()

    asked = [world.asked]

    def rests() -> bool:
        world.holds(a_session(1), forget=True)  # whoever follows the changes must look anew
        asked.append(world.asked)
        return asked[-2] == asked[-1]

    eventually(rests, every=2)
