"""The dashboard within Panel's own admin page."""

import pytest
from playwright.sync_api import Page, expect

from ..support.dashboard import APP, World, a_session
from ..support.processes import free_port, panel_serve
from .conftest import Start

pytestmark = pytest.mark.long


def test_panel_s_admin_shows_the_sessions(start: Start, page: Page) -> None:
    port = free_port()
    plugin = ("--admin", "--plugins", "tests.e2e.apps.dashboard_in_admin")
    program = start(panel_serve(APP, port, *plugin))
    base = f"http://127.0.0.1:{port}"
    program.answers(f"{base}/world")
    world = World(base, program)
    world.holds(a_session(1))

    page.goto(f"{base}/admin")
    page.get_by_text("Sessions", exact=True).first.click(timeout=30_000)

    cells = page.locator("regular-table td")
    expect(cells.get_by_text("user 001", exact=True)).to_be_visible(timeout=30_000)
    world.holds(a_session(2))
    expect(cells.get_by_text("user 002", exact=True)).to_be_visible(timeout=30_000)
