"""What the end-to-end tests share: the browser, processes that are stopped, kept screenshots."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from ..support.browser import chromium
from ..support.dashboard import APP, PLUGIN, SHORT_LIVED, Visit, World
from ..support.processes import ROOT, Process, free_port, panel_serve

Start = Callable[..., Process]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a module: Playwright's loop must not outlive them."""
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with an empty profile."""
    context = browser.new_context(viewport={"width": 1400, "height": 850})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start processes that are stopped, the last one first, when the module's tests are done."""
    folder = tmp_path_factory.mktemp("logs")
    running: list[Process] = []

    def launch(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> Process:
        running.append(Process(command, folder / f"{len(running)}.log", env))
        return running[-1]

    yield launch
    for process in reversed(running):
        process.stop()


@pytest.fixture
def screenshot() -> Callable[[Page, str], None]:
    """Keep a picture of a page among the test artefacts."""
    folder = ROOT / "artefacts"
    folder.mkdir(exist_ok=True)

    def keep(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png")

    return keep


@pytest.fixture(scope="module")
def world(start: Start) -> World:
    """The dashboard on the fake operator."""
    port = free_port()
    program = start(panel_serve(APP, port, *PLUGIN, *SHORT_LIVED))
    base = f"http://127.0.0.1:{port}"
    program.answers(f"{base}/world")
    return World(base, program)


@pytest.fixture
def open_page(page: Page, world: World) -> Iterator[Callable[..., Visit]]:
    """Look at the dashboard; neither the browser nor the server may complain in the end."""
    visits: list[Visit] = []

    def visit(address: str = "") -> Visit:
        visits.append(Visit(page, world, address))
        return visits[-1]

    yield visit
    assert [visit.complaints for visit in visits] == [[] for _ in visits]
    assert [visit.strangers for visit in visits] == [[] for _ in visits]
    assert "Traceback" not in world.program.output, world.program.output
    assert "ERROR" not in world.program.output
