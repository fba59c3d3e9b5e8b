"""The dashboard under load, as it shows in a browser: the real API, the real dashboard."""

import asyncio
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, time
from typing import Any
from uuid import UUID

from playwright.sync_api import Browser, Page

from tests.support.browser import chromium

from .crowd import Serving, processes, register
from .figures import Figure
from .load import Client, request
from .memory import resident
from .stage import Program, stage

FEW, MANY, VERY_MANY, SESSIONS_EACH = 100, 10_000, 100_000, 1_000
SEARCHES = 5
CHANGES_EACH_SECOND = 100
WATCHED_EVERY = 20
"""Each so many changes, one is of the session on which the browser's eye is."""

SECONDS = 60.0
VIEWERS = 5
OPENINGS = 5

MINUTES = 20.0
"""How long viewers come and go while the memory of the dashboard is watched."""

WARM = 0.15
"""The part of that time, at its beginning, in which the memory may still fill."""

MOST_GROWTH = 5.0
"""What may be added to it after that, in percent."""

EYE = """
window.seen = new Map();
window.longest = 0;
new PerformanceObserver((list) => {
  for (const {duration} of list.getEntries()) window.longest = Math.max(window.longest, duration);
}).observe({type: "longtask"});
const table = (function find(root) {
  for (const element of root.querySelectorAll("*")) {
    if (element.tagName === "REGULAR-TABLE") return element;
    const inside = element.shadowRoot && find(element.shadowRoot);
    if (inside) return inside;
  }
})(document);
(function look() {
  for (const td of table.querySelectorAll("td")) {
    const text = td.textContent;
    if (/^\\d{13}$/.test(text) && !window.seen.has(text)) window.seen.set(text, Date.now() - text);
  }
  requestAnimationFrame(look);
})();
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """A dashboard, the API behind it, whose sessions change, a bare page, and a browser."""

    api: Program
    dashboard: Program
    bare: Program
    browser: Browser
    changing: list[UUID]

    def page(self) -> tuple[Page, float]:
        """Open the dashboard; return the page, and after how many seconds it had rows."""
        return self._page(f"{self.dashboard.url}/monitor")

    def first_tables(self) -> tuple[list[float], list[float]]:
        """Open the dashboard and the bare page in turn; return when they had rows, in seconds."""
        urls = f"{self.dashboard.url}/monitor", f"{self.bare.url}/bare"
        opened: tuple[list[float], list[float]] = [], []
        for _ in range(OPENINGS):
            for url, seconds in zip(urls, opened, strict=True):
                page, after = self._page(url)
                seconds.append(after)
                page.context.close()
        return opened

    def _page(self, url: str) -> tuple[Page, float]:
        page = self.browser.new_context(viewport={"width": 1400, "height": 850}).new_page()
        began = monotonic()
        page.goto(url)
        page.locator("regular-table tbody td").first.wait_for(timeout=60_000)
        return page, monotonic() - began


@contextmanager
def scene() -> Iterator[Scene]:
    """Start the API, the dashboard and a browser."""
    with stage() as on, chromium() as browser:
        api = on.api()
        dashboard, bare = on.dashboard(api.url), on.app("bare")
        on.ready()
        yield Scene(api, dashboard, bare, browser, [])


def few_sessions(scene: Scene) -> Iterator[Figure]:
    """A hundred sessions on the dashboard."""
    _admit(scene, processes(1, sessions_each=FEW))
    yield from _watched(scene, f"{FEW:,} sessions", SECONDS / 3, 150)


def many_sessions(scene: Scene) -> Iterator[Figure]:
    """Ten thousand sessions on the dashboard."""
    _admit(scene, processes(MANY // SESSIONS_EACH, sessions_each=SESSIONS_EACH))
    what = f"{MANY:,} sessions"
    yield from _watched(scene, what, SECONDS, 400)
    pages = [scene.page()[0] for _ in range(VIEWERS)]
    with _changes(scene):
        before = _cpu_seconds(scene.dashboard.process.pid)
        pages[0].wait_for_timeout(SECONDS * 500)
        used = _cpu_seconds(scene.dashboard.process.pid) - before
    share = 100 * used / (SECONDS / 2)
    case = f"dashboard's CPU, {VIEWERS} viewers, {what}, {CHANGES_EACH_SECOND} changes/s"
    yield Figure.of(case, [share], "%", targets={"median": 50})
    for page in pages:
        page.context.close()


def _watched(scene: Scene, what: str, seconds: float, bound: float) -> Iterator[Figure]:
    """Look at the dashboard for a while."""
    scene.page()[0].context.close()  # what is made for the first viewer alone is there
    opened, bare = scene.first_tables()
    yield Figure.latency(f"first table, {what}", opened, median=2500)
    yield Figure.ratio(f"first table, {what}, over a bare Perspective page", opened, bare)
    page = scene.page()[0]
    page.evaluate(EYE)
    with _changes(scene):
        page.wait_for_timeout(seconds * 1000)
    told: dict[str, Any] = page.evaluate("({seen: [...seen.values()], longest})")
    page.context.close()
    late = quantiles(told["seen"], n=20, method="inclusive")[18]
    case = f"{what}, {CHANGES_EACH_SECOND} changes/s"
    yield Figure.of(f"change to cell, {case}", told["seen"], "ms")
    yield Figure.of(f"change to cell, {case}, p95", [late], "ms", targets={"median": bound})
    longest = {"median": 200.0}
    yield Figure.of(f"longest block of the page, {case}", [told["longest"]], "ms", targets=longest)


def _admit(scene: Scene, serving: list[Serving]) -> None:
    """Register sessions, the one to be watched last: the newest is the first in the table."""
    watched = processes(1, sessions_each=1)
    with ThreadPoolExecutor(1) as aside:  # Playwright has a loop of its own in this thread
        for each in (serving, watched):
            aside.submit(register, scene.api.port, each).result()
    scene.changing[:] = [watched[0].session_ids[0]]
    scene.changing.extend(each for one in serving for each in one.session_ids)


@contextmanager
def _changes(scene: Scene) -> Iterator[None]:
    """Let sessions change while the block lasts."""
    over = threading.Event()
    changing = threading.Thread(target=lambda: asyncio.run(_change(scene, over)))
    changing.start()
    try:
        yield
    finally:
        over.set()
        changing.join()


async def _change(scene: Scene, over: threading.Event) -> None:
    client, others = await Client.of(scene.api.port), cycle(scene.changing[1:])
    began, number = monotonic(), 0
    while not over.is_set():
        number += 1
        await asyncio.sleep(max(0.0, began + number / CHANGES_EACH_SECOND - monotonic()))
        watched = number % WATCHED_EVERY == 0
        session_id = scene.changing[0] if watched else next(others)
        task = f"{time() * 1000:.0f}" if watched else f"Step {number}"
        body = {"status": "running", "task": task}
        await client.ask(request("PUT", f"/sessions/{session_id}/status", body))
    client.close()


def _cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def comings_and_goings(scene: Scene) -> Iterator[Figure]:
    """Viewers come and go for twenty minutes."""
    _admit(scene, processes(MANY // SESSIONS_EACH, sessions_each=SESSIONS_EACH))
    began, visits, seen = monotonic(), 0, []
    with _changes(scene):
        while (passed := monotonic() - began) < MINUTES * 60:
            visits += 1
            page, _ = scene.page()
            page.wait_for_timeout(1_000)
            page.context.close()
            seen.append((passed / (MINUTES * 60), resident(scene.dashboard.process.pid)))
    early = median([rss for part, rss in seen if WARM <= part < 2 * WARM])
    late = median([rss for part, rss in seen if part >= 1 - WARM])
    what = f"{MINUTES:.0f} min with {visits:,} viewers, one after the other"
    yield Figure.of(f"dashboard's memory, {what}", [late / 2**20], "MiB")
    growth = 100 * (late / early - 1)
    case = f"growth of the dashboard's memory, {what}"
    yield Figure.of(case, [growth], "%", targets={"median": MOST_GROWTH})


def very_many_sessions(scene: Scene) -> Iterator[Figure]:
    """A hundred thousand sessions on the dashboard."""
    _admit(scene, processes(VERY_MANY // SESSIONS_EACH, sessions_each=SESSIONS_EACH))
    what = f"{VERY_MANY:,} sessions"
    yield from _watched(scene, what, SECONDS / 2, 400)
    page, _ = scene.page()
    box, found = page.get_by_placeholder("Search app, user, task, host"), []
    one, many = re.compile("^1 session$"), re.compile("^first 2,000 of ")
    for searched, told in ((str(scene.changing[0]), one), ("", many)) * SEARCHES:
        began = monotonic()
        box.fill(searched)
        page.get_by_text(told).wait_for()
        found.append(monotonic() - began)
    page.context.close()
    yield Figure.latency(f"search, {what}, to its number on the screen", found)
    rss = resident(scene.dashboard.process.pid)
    yield Figure.of(f"dashboard's memory, {what}", [rss / 2**20], "MiB")


CASES = (few_sessions, many_sessions)
LONG = (very_many_sessions, comings_and_goings)
