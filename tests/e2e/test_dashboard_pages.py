"""What operators find, see and do on the dashboard's pages, in a real browser."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from panel_session_monitor.application.ports import LiveProcess
from panel_session_monitor.domain.event import EventKind
from panel_session_monitor.domain.ids import ProcessId
from panel_session_monitor.domain.report import Figures
from panel_session_monitor.domain.session import Process
from playwright.sync_api import Browser, Locator, Page, expect

from ..support.dashboard import Visit, World, a_session, a_task, ago
from ..support.processes import eventually

Look = Callable[..., Visit]
Screenshot = Callable[[Page, str], None]


def press(visit: Visit, name: str) -> None:
    visit.page.get_by_role("button", name=name).click()


def agree(visit: Visit, name: str, **fields: str) -> Locator:
    """Fill a dialog's fields in and press its button."""
    dialog = visit.page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    for label, text in fields.items():
        dialog.get_by_label(label).fill(text)
    dialog.get_by_role("button", name=name, exact=True).click()
    expect(dialog).to_be_hidden()
    return dialog


def said(visit: Visit, text: str) -> None:
    expect(visit.page.get_by_text(text)).to_be_visible(timeout=30_000)


def found(visit: Visit, *users: str) -> None:
    """Wait until the table has these users' rows and no others."""
    eventually(lambda: sorted(re.findall(r"user \d{3}", " ".join(visit.texts))) == sorted(users))


def go(visit: Visit, page: str) -> None:
    visit.page.get_by_role("link", name=page, exact=True).click()


def test_a_search_finds_by_app_user_task_and_host(world: World, open_page: Look) -> None:
    world.holds(
        a_session(1, app="sales"),
        a_session(2, app="risk", task=a_task("Simulating paths")),
        a_session(3, app="risk", last_heartbeat=ago(200)),
    )
    visit = open_page()
    visit.shows("user 001")
    box = visit.page.get_by_role("searchbox")

    for text, users in (
        ("RISK", ["user 002", "user 003"]),
        ("simul", ["user 002"]),
        ("user 001", ["user 001"]),
        ("node-a:4711 risk 003", ["user 003"]),
    ):
        box.fill(text)
        found(visit, *users)
    box.fill("nobody")
    said(visit, "No session matches")
    box.fill("")
    found(visit, "user 001", "user 002", "user 003")


def test_chips_count_live_and_choose(world: World, open_page: Look) -> None:
    sessions = [a_session(1), a_session(2, task=a_task()), a_session(3, last_heartbeat=ago(200))]
    world.holds(*sessions)
    visit = open_page()
    visit.shows("user 001")
    running = visit.page.get_by_role("button", name="running")

    running.click()
    found(visit, "user 002")
    expect(running).to_have_attribute("aria-pressed", "true")
    world.holds(*sessions[1:], a_session(1, task=a_task()), a_session(4, task=a_task()))

    expect(running).to_have_text("3 running")
    found(visit, "user 001", "user 002", "user 004")


def test_of_many_matches_the_newest_are_shown_and_it_is_said(world: World, open_page: Look) -> None:
    world.holds(*(a_session(number) for number in range(1, 2101)))
    visit = open_page()
    said(visit, "first 2,000 of 2,100 sessions")
    visit.shows("user 001")

    visit.page.get_by_role("searchbox").fill("user 2050")

    expect(visit.page.get_by_text("1 session", exact=True)).to_be_visible()
    visit.shows("user 2050")


def test_a_link_shows_a_colleague_the_same_view(
    world: World, open_page: Look, browser: Browser
) -> None:
    world.holds(*(a_session(n, app=f"app {n % 2}", task=a_task()) for n in range(1, 7)))
    visit = open_page()
    visit.shows("user 001")

    visit.page.get_by_role("combobox").select_option("app 1 (3)")
    press(visit, "running")
    visit.arrange(sort=[["User", "desc"]], group_by=["Task"])
    visit.page.wait_for_url(re.compile("layout="))
    visit.page.wait_for_url(re.compile("status=running"))
    context = browser.new_context()
    colleague = Visit(context.new_page(), world, "?" + visit.page.url.partition("?")[2])

    expect(colleague.page.get_by_text("3 sessions", exact=True)).to_be_visible(timeout=30_000)
    eventually(lambda: colleague.arrangement["group_by"] == ["Task"])
    assert colleague.arrangement["sort"] == [["User", "desc"]]
    expect(colleague.page.get_by_role("combobox")).to_have_value('"app 1"')
    context.close()


def test_a_view_is_remembered_for_the_next_visit(world: World, open_page: Look) -> None:
    world.holds(a_session(1), a_session(2, app="risk"))
    visit = open_page()
    visit.shows("user 001")
    visit.page.get_by_role("searchbox").fill("risk")
    visit.page.wait_for_url(re.compile("q=risk"))

    again = open_page()

    expect(again.page.get_by_role("searchbox")).to_have_value("risk", timeout=30_000)
    found(again, "user 002")


def test_back_leads_to_the_page_before(world: World, open_page: Look) -> None:
    world.holds(a_session(1))
    visit = open_page()
    visit.shows("user 001")

    go(visit, "Apps")
    expect(visit.page.get_by_role("button", name="Drain").first).to_be_visible()
    visit.page.go_back()

    expect(visit.page.get_by_role("searchbox")).to_be_visible()
    assert "page=" not in visit.page.url


def test_a_paused_table_stands_still_until_it_goes_on(world: World, open_page: Look) -> None:
    world.holds(a_session(1))
    visit = open_page()
    found(visit, "user 001")

    press(visit, "Pause")
    expect(visit.page.get_by_role("button", name="Resume")).to_be_visible()
    world.holds(a_session(1), a_session(2))
    expect(visit.page.get_by_text("2 sessions", exact=True)).to_be_visible()
    found(visit, "user 001")
    press(visit, "Resume")

    found(visit, "user 001", "user 002")


def test_those_selected_are_killed_and_followed(
    world: World, open_page: Look, screenshot: Screenshot
) -> None:
    sessions = [a_session(number) for number in range(1, 5)]
    world.holds(*sessions)
    visit = open_page()
    visit.shows("user 004")
    for number in (2, 4):
        visit.page.get_by_role("checkbox", name=str(sessions[number - 1].session_id)).click()

    world.holds(*sessions, *(a_session(number) for number in range(5, 9)))
    visit.shows("user 008")
    press(visit, "Kill selected (2)")
    agree(visit, "Kill 2 sessions", Reason="Noon")

    said(visit, "Kill ordered for 2 sessions.")
    kills = {each.user_id: each.kill for each in world.live if each.kill}
    assert {user: kill.reason for user, kill in kills.items()} == {
        "user 002": "Noon",
        "user 004": "Noon",
    }
    said(visit, "Kills ordered here: 2 requested")
    late = replace(kills["user 002"], requested_at=ago(30))
    world.holds(
        sessions[0],
        replace(sessions[1], kill=late),
        sessions[2],
        replace(sessions[3], kill=kills["user 004"].delivered(ago(0))),
    )
    said(visit, "Its process has not taken the order.")
    said(visit, "Kills ordered here: 1 overdue, 1 delivered")
    screenshot(visit.page, "dashboard-kills-followed")
    world.holds(sessions[0], sessions[2])
    said(visit, "Kills ordered here: 2 ended")
    press(visit, "Close this list")
    expect(visit.page.get_by_text("Kills ordered here")).to_be_hidden()


def test_a_message_goes_to_one_to_an_app_or_to_all(world: World, open_page: Look) -> None:
    world.holds(a_session(1), a_session(2), a_session(3, app="risk"), happened=[])
    visit = open_page()
    visit.shows("user 001")

    press(visit, "Message to all")
    send = visit.page.get_by_role("dialog").get_by_role("button", name="Send")
    expect(send).to_be_disabled()
    agree(visit, "Send", Message="Lunch")
    said(visit, "Sent to 3 sessions.")
    visit.page.get_by_role("combobox").select_option("sales (2)")
    press(visit, "Message to the app")
    agree(visit, "Send", Message="Tea")
    said(visit, "Sent to 2 sessions.")

    texts = [each.text for each in world.happened if each.kind is EventKind.MESSAGE_SENT]
    assert texts == ["Lunch"] * 3 + ["Tea"] * 2
    assert {each.by for each in world.happened if each.text == "Tea"} == {"olga"}


def test_an_app_is_drained_and_the_drain_undone(
    world: World, open_page: Look, screenshot: Screenshot
) -> None:
    world.holds(a_session(1), a_session(2), a_session(3, app="risk"))
    visit = open_page("?page=apps")
    row = visit.page.get_by_role("row").filter(has_text="sales")
    row.get_by_role("button", name="Drain").click()
    dialog = visit.page.get_by_role("dialog")
    dialog.get_by_label("Minutes").fill("soon")
    dialog.get_by_role("button", name="Drain", exact=True).click()
    expect(dialog.get_by_label("Minutes")).to_have_attribute("aria-invalid", "true")
    assert world.drained == {}

    agree(visit, "Drain", Reason="Version 2", Minutes="30")
    said(visit, "sales is being drained.")

    drain = world.drained["sales"]
    assert drain.reason == "Version 2"
    assert drain.kill_at == drain.started_at + timedelta(minutes=30)
    expect(row.get_by_role("cell").nth(1)).to_have_text("2")
    world.holds(a_session(2), a_session(3, app="risk"))
    expect(row.get_by_role("cell").nth(1)).to_have_text("1")
    screenshot(visit.page, "dashboard-apps")
    row.get_by_role("button", name="Undo drain").click()
    said(visit, "sales is no longer drained.")
    expect(row.get_by_role("button", name="Drain", exact=True)).to_be_visible()
    assert world.drained == {}


def test_all_of_an_app_are_killed_from_the_page_of_the_apps(world: World, open_page: Look) -> None:
    world.holds(a_session(1), a_session(2), a_session(3, app="risk"))
    visit = open_page("?page=apps")

    row = visit.page.get_by_role("row").filter(has_text="sales")
    row.get_by_role("button", name="Kill all").click()
    agree(visit, "Kill 2 sessions")

    said(visit, "Kill ordered for 2 sessions of sales.")
    assert {each.user_id for each in world.live if each.kill} == {"user 001", "user 002"}


def test_one_session_s_page_tells_its_life(
    world: World, open_page: Look, screenshot: Screenshot
) -> None:
    world.holds(happened=[])
    for task in ("Loading", None, "Fitting", "Loading"):
        world.holds(a_session(9, task=task and a_task(task), user="ada"))
    visit = open_page()
    visit.shows("ada")

    visit.page.get_by_role("link", name=f"Open session {a_session(9).session_id}").click()
    life = visit.page.get_by_role("region", name="What has happened")
    expect(life.get_by_text("task started")).to_have_count(3, timeout=30_000)
    expect(life.get_by_text("task ended")).to_have_count(2)
    expect(visit.page.get_by_role("figure").get_by_text("Fitting")).to_be_visible()
    screenshot(visit.page, "dashboard-session")
    press(visit, "Kill this session")
    agree(visit, "Kill", Reason="Noon")

    expect(life.get_by_text("kill requested")).to_be_visible(timeout=30_000)
    said(visit, "requested by olga: Noon")
    world.holds()
    said(visit, "ended: killed")
    expect(visit.page.get_by_role("button", name="Kill this session")).to_be_hidden()


def test_a_session_that_nobody_knows_is_told_in_a_line(world: World, open_page: Look) -> None:
    world.holds(a_session(1))
    nobody = UUID(int=77)

    visit = open_page(f"?session={nobody}")

    said(visit, f"Nothing can be told of session {nobody}: session {nobody} is not known")


def test_processes_tell_how_they_fare(
    world: World, open_page: Look, screenshot: Screenshot
) -> None:
    figures = Figures(
        connected=True,
        rss_bytes=234 << 20,
        cpu_percent=12.0,
        loop_lag_seconds=0.004,
        version="1.2.3",
    )
    process = LiveProcess(
        process=Process(process_id=ProcessId(UUID(int=7)), host="node-a", pid=4711),
        started_at=ago(7200),
        last_heartbeat=ago(3),
        sessions=12,
        figures=figures,
    )
    world.holds(a_session(1), serving=[process])
    visit = open_page("?page=processes")

    row = visit.page.get_by_role("row").filter(has_text="node-a:4711")
    for text in ("connected", "12", "234 MiB", "12 %", "4 ms", "1.2.3", "2 h 0 min"):
        expect(row.get_by_role("cell").get_by_text(text, exact=True)).to_be_visible(timeout=30_000)
    expect(visit.page.get_by_text("Memory of the process (RSS)")).to_be_visible()
    headings = visit.page.locator("th").filter(visible=True)
    assert {each.evaluate("th => getComputedStyle(th).display") for each in headings.all()} == {
        "table-cell"
    }
    screenshot(visit.page, "dashboard-processes")
    silent = replace(process, last_heartbeat=ago(200), figures=Figures())
    world.holds(a_session(1), serving=[silent])

    expect(row.get_by_text("silent")).to_be_visible(timeout=30_000)


def test_a_kill_by_keyboard_alone(world: World, open_page: Look) -> None:
    world.holds(a_session(1))
    visit = open_page()
    visit.shows("user 001")

    kill = visit.page.get_by_role("button", name=f"Kill session {a_session(1).session_id}")
    kill.focus()
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_label("Reason")).to_be_visible()
    visit.page.get_by_label("Reason").focus()
    visit.page.keyboard.type("Noon")
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.press("Enter")

    eventually(lambda: [each.kill and each.kill.reason for each in world.live] == ["Noon"])


def test_a_button_keeps_the_focus_though_its_number_and_its_neighbours_change(
    world: World, open_page: Look
) -> None:
    world.holds(a_session(1))
    visit = open_page("?app=sales")
    visit.shows("user 001")
    visit.page.get_by_role("button", name="Kill all · 1 session").focus()

    world.holds(a_session(1), a_session(2))
    visit.page.get_by_role("checkbox", name=str(a_session(2).session_id)).dispatch_event("click")
    expect(visit.page.get_by_role("button", name="Kill selected (1)")).to_be_visible()

    expect(visit.page.get_by_role("button", name="Kill all · 2 sessions")).to_be_focused()


def test_a_server_that_was_started_anew_is_read_anew(world: World, open_page: Look) -> None:
    world.holds(a_session(1))
    visit = open_page()
    found(visit, "user 001")

    world.holds(a_session(2), forget=True)

    found(visit, "user 002")


@pytest.mark.long
def test_300_changes_leave_group_and_filter_alone(world: World, open_page: Look) -> None:
    sessions = [a_session(n, app=f"app {n % 3}", task=a_task()) for n in range(1, 31)]
    world.holds(*sessions)
    visit = open_page()
    visit.shows("user 001")
    arranged = visit.arrange(group_by=["App", "User"], filter=[["Status", "==", "running"]])
    label = visit.page.locator("regular-table tbody th.psp-tree-label", has_text="app 1").first
    label.click(position={"x": 34, "y": 10})
    expect(label).to_have_class(re.compile("psp-tree-label-expand"))

    for number in range(300):
        at = number % 30
        sessions[at] = replace(sessions[at], task=a_task(f"Step {number}", number / 300))
        world.holds(*sessions)

    visit.shows("Step 271")
    assert visit.arrangement == arranged
    expect(label).to_have_class(re.compile("psp-tree-label-expand"))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("address", ["", "?page=apps", "?page=processes", "?session="])
def test_nothing_bars_people_from_a_page(
    world: World, open_page: Look, address: str, *, dark: bool
) -> None:
    world.holds(a_session(1, task=a_task()), a_session(2, app="risk"))
    if address.endswith("="):
        address += str(a_session(1).session_id)
    visit = open_page(address)
    expect(visit.page.get_by_role("link", name="Apps")).to_be_visible(timeout=30_000)
    if dark:
        visit.page.get_by_label("Toggle theme").click()
    eventually(lambda: visit.page.get_by_text("sales").count() or address == "?page=processes")

    eventually(lambda: bars(visit.page) == [])


def bars(page: Page) -> list[str]:
    """Return what axe finds serious or critical outside Perspective."""
    context = {"exclude": [["perspective-viewer"]]}
    found = Axe().run(page, context=context, options={"preload": False}).response["violations"]
    return [each["id"] for each in found if each["impact"] in ("serious", "critical")]


def test_a_phone_shows_every_page_without_scrolling_sideways(
    world: World, browser: Browser, screenshot: Screenshot
) -> None:
    world.holds(a_session(1, task=a_task()), a_session(2, app="risk"))
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()

    for name, address in (("sessions", ""), ("apps", "?page=apps"), ("session", "?session=")):
        last = str(a_session(1).session_id) if name == "session" else ""
        visit = Visit(page, world, address + last)
        expect(page.locator("td, dd").filter(visible=True).first).to_be_visible(timeout=30_000)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert visit.complaints == []
        screenshot(page, f"dashboard-phone-{name}")
    context.close()
