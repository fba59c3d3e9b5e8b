"""The demo of the worker pool: two people share it, and a kill stops the work of one of them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest
from panel_session_monitor.entrypoints.demo.estimate_pi import Sample, estimate_pi
from playwright.sync_api import Browser, Locator, Page, expect

from ..fakes.pool import InMemoryStop
from ..support.children import children
from ..support.pooled import GONE_WITHIN, World, serve
from ..support.processes import eventually
from .apps.served import RECORD_CLOSINGS, closings
from .conftest import Start

pytestmark = pytest.mark.alone

PROCESSES = 3
ITEMS = 6
Screenshot = Callable[[Page, str], None]


@dataclass(frozen=True)
class Visitor:
    """Somebody at the page of the demo."""

    page: Page
    session: str

    def start(self) -> None:
        """Have all items computed, as fast as the page offers."""
        self.page.get_by_role("button", name="2 s", exact=True).click()
        self.page.get_by_role("button", name="Start").click()

    def states(self, state: str) -> Locator:
        """Return the items that are in a state."""
        return self.page.get_by_text(state, exact=True)

    def estimates(self) -> list[str]:
        """Return the results that the page shows."""
        shown = self.page.get_by_text(re.compile(r"^\d\.\d{4} · PID \d+$")).all_inner_texts()
        return [text.split()[0] for text in shown]


@pytest.fixture(scope="module")
def world(start: Start, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    return serve(start, folder, "src/entrypoints/demo/pool.py", processes=PROCESSES)


@pytest.fixture
def visit(world: World, browser: Browser) -> Iterator[Callable[[], Visitor]]:
    """Open the page for one person more."""
    contexts = []

    def arrive() -> Visitor:
        contexts.append(browser.new_context(viewport={"width": 1000, "height": 760}))
        page = contexts[-1].new_page()
        page.add_init_script(RECORD_CLOSINGS)
        page.goto(world.page)
        shown = page.get_by_text(re.compile(r"^Session [0-9a-f-]{36}$"))
        expect(shown).to_be_visible(timeout=20_000)
        return Visitor(page, str(shown.inner_text())[-36:])

    yield arrive
    for context in contexts:
        context.close()


def test_a_kill_stops_the_work_of_one_session_and_kill_all_takes_the_pool_down(
    world: World, visit: Callable[[], Visitor], screenshot: Screenshot
) -> None:
    killed, other = visit(), visit()
    killed.start()
    expect(killed.states("running").first).to_be_visible(timeout=20_000)
    other.start()
    expect(other.states("waiting")).to_have_count(ITEMS)
    eventually(lambda: 0 < (world.session(killed.session)["progress"] or 0) < 1)

    httpx.post(f"{world.api}/sessions/{killed.session}/kill").raise_for_status()

    closings(killed.page, 1)
    expect(killed.page.get_by_text("This session was ended. Reload the page")).to_be_visible()
    expect(killed.states("stopped").first).to_be_visible()
    expect(killed.states("running")).to_have_count(0)
    expect(killed.states("waiting")).to_have_count(0)
    screenshot(killed.page, "pool-demo-killed")
    expect(other.states("done")).to_have_count(ITEMS, timeout=20_000)
    assert other.estimates() == [_estimate(seed) for seed in range(1, ITEMS + 1)]
    expect(other.page.get_by_text(f"Pool: {PROCESSES} processes")).to_be_visible()
    screenshot(other.page, "pool-demo-done")

    workers = children(world.app.pid)
    assert len(workers) == PROCESSES
    other.start()
    expect(other.states("running").first).to_be_visible(timeout=20_000)
    httpx.post(f"{world.api}/apps/pool-demo/kill-all").raise_for_status()
    eventually(lambda: not children(world.app.pid), GONE_WITHIN)

    late = visit()
    expect(late.page.get_by_text("Pool: no processes")).to_be_visible()
    late.start()
    expect(late.states("done")).to_have_count(ITEMS, timeout=20_000)
    assert len(children(world.app.pid) - workers) == PROCESSES


def test_stop_ends_the_work_and_a_start_after_it_does_it_all(
    visit: Callable[[], Visitor],
) -> None:
    visitor = visit()
    visitor.start()
    expect(visitor.states("running").first).to_be_visible(timeout=20_000)

    visitor.page.get_by_role("button", name="Stop").click()

    expect(visitor.page.get_by_text("Stopped.")).to_be_visible()
    expect(visitor.states("stopped")).to_have_count(ITEMS)
    visitor.start()
    expect(visitor.states("done")).to_have_count(ITEMS, timeout=20_000)


def _estimate(seed: int) -> str:
    estimate = estimate_pi(Sample(seed=seed, seconds=0), InMemoryStop())
    assert estimate
    return f"{estimate.value:.4f}"
