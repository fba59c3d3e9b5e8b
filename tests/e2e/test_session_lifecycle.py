"""When a session is over, and that this is told exactly once."""

import signal
from collections.abc import Iterator
from time import time

import pytest
from playwright.sync_api import Browser, Page

from ..support.processes import eventually
from .apps.served import Served, closings, serve, shown_session
from .conftest import Start

UNUSED = 6_000
"""Milliseconds that a session lives without a page. Panel in FastAPI cannot make one anew whose
page comes later than that, which on a busy machine takes its seconds."""

REASON = "Session terminated by administrator"


@pytest.fixture(scope="module")
def servers(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Served]]:
    kinds = {"tornado": "", "fastapi": "fastapi", "reusing": "--reuse-sessions"}
    running = {
        name: serve(start, tmp_path_factory.mktemp(name), unused=UNUSED, options=options)
        for name, options in kinds.items()
    }
    for server in running.values():
        server.answers()
    yield running
    for server in running.values():
        assert "Traceback" not in server.process.output, server.process.output


@pytest.fixture(params=["tornado", "fastapi"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(kind: str, servers: dict[str, Served]) -> Served:
    return servers[kind]


def assert_grace(ordered: float, closed: float, over: float) -> None:
    """Half a second is between the close and the end, within 0.2 s.

    The server closes the page's connection after the order, and before the page knows of it.
    """
    assert over - closed < 0.7
    assert over - ordered > 0.3


def test_a_closed_tab_is_over_at_once_only_where_it_cannot_reconnect(
    server: Served, browser: Browser
) -> None:
    pages = [browser.new_page() for _ in range(3)]
    final, *others = [
        server.open(page, reconnect=reconnect)
        for page, reconnect in zip(pages, ["false", "true", "prompt"], strict=True)
    ]

    closed_at = time()
    for page in pages:
        page.close()

    assert server.when("over", final) - closed_at < 1
    assert server.when("destroyed", final) > server.when("over", final)
    for session in others:
        destroyed = server.when("destroyed", session, patience=20)
        assert server.when("over", session) == pytest.approx(destroyed, abs=0.1)
    for session in (final, *others):
        assert len(server.events("over", session)) == 1
        server.when("coroutine", f"{session} when over")
        [coroutine] = server.events("coroutine", f"{session} when over")
        assert coroutine["detail"] == "MainThread", "it runs on the server's event loop"


def test_a_reload_ends_the_old_session_and_begins_a_new_one(server: Served, page: Page) -> None:
    old = server.open(page)

    page.reload()

    new = shown_session(page)
    server.when("over", old, patience=2)
    assert new != old
    assert not server.events("over", new)


def test_a_lost_connection_that_comes_back_ends_nothing(server: Served, page: Page) -> None:
    session = server.open(page, reconnect="true")

    page.evaluate("window.sockets.at(-1).close()")

    page.wait_for_function("() => window.sockets.length === 2")

    def said() -> bool:  # what is clicked before the page is connected is lost
        page.get_by_role("button", name="Say").click()
        return bool(server.events("said", session))

    eventually(said, every=0.25)
    assert not server.events("over", session)


def test_a_killed_session_is_over_once_it_is_destroyed(server: Served, page: Page) -> None:
    session = server.open(page)

    server.kill(session, REASON)

    over, closed = server.when("over", session), closings(page, 1)[0]["at"]
    assert_grace(server.when("end returned", session), closed, over)
    assert len(server.events("over", session)) == 1


def test_a_kill_waits_for_a_blocked_event_loop_but_the_order_does_not(
    server: Served, page: Page
) -> None:
    session = server.open(page)
    page.get_by_role("button", name="Block").click()
    server.when("blocked", session)

    server.kill(session, REASON)

    returned = server.when("end returned", session)
    free = server.when("free", session)
    closed = closings(page, 1)[0]["at"]
    assert returned < free < closed
    assert_grace(free, closed, server.when("over", session))


def test_a_killed_session_that_panel_would_reuse_is_not_reused(
    servers: dict[str, Served], page: Page, browser: Browser
) -> None:
    server = servers["reusing"]
    pinned = server.open(page)

    server.kill(pinned, REASON)

    destroyed, closed = server.when("destroyed", pinned), closings(page, 1)[0]["at"]
    assert_grace(server.when("end returned", pinned), closed, destroyed)
    page.reload()
    fresh = shown_session(page)
    other = browser.new_page()
    server.open(other)
    assert fresh != pinned
    assert not server.events("over", fresh)
    other.close()


@pytest.mark.parametrize(
    ("kind", "moments"),
    [("tornado", ["at SIGTERM", "at exit"]), ("fastapi", ["at SIGTERM"])],
    indirect=["kind"],
)
def test_coroutines_run_though_the_process_ends(
    server: Served, page: Page, moments: list[str]
) -> None:
    session = server.open(page)

    server.process.send(signal.SIGTERM)

    server.process.wait()
    for moment in moments:
        assert len(server.events("coroutine", f"{session} {moment}")) == 1
