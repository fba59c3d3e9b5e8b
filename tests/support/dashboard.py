"""The dashboard on the fake operator, and people who look at it with a browser."""

import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import httpx
from panel_session_monitor.domain.drain import Drain
from panel_session_monitor.domain.event import SessionEvent
from panel_session_monitor.domain.ids import ProcessId, SessionId
from panel_session_monitor.domain.session import Process, Session
from panel_session_monitor.domain.task import Task
from playwright.sync_api import Locator, Page, expect

from .processes import Process as Program

APP = "tests/e2e/apps/dashboard_on_fake.py"
PLUGIN = ("--plugins", "tests.e2e.apps.dashboard_on_fake")
SHORT_LIVED = ("--unused-session-lifetime", "4000", "--check-unused-sessions", "500")

FIND_VIEWER = """
window.viewer = (function find(root) {
  const found = root.querySelector("perspective-viewer");
  if (found) return found;
  for (const element of root.querySelectorAll("*")) {
    const inside = element.shadowRoot && find(element.shadowRoot);
    if (inside) return inside;
  }
})(document);
window.grid = window.viewer.querySelector("perspective-viewer-datagrid").regular_table;
"""


class World:
    """The sessions behind the dashboard: what the test sets, the dashboard shows."""

    def __init__(self, base: str, program: Program) -> None:
        self.url = f"{base}/dashboard_on_fake"
        self.program = program
        self._world = f"{base}/world"

    def holds(self, *sessions: Session, problem: str | None = None, **more: object) -> None:
        self._become({"live": sessions, "problem": problem} | more)

    def gains(self, session: Session) -> None:
        """Let one more session begin."""
        self._become({"more": [session]})

    @property
    def live(self) -> list[Session]:
        return list(self._read()["live"].values())

    def undrained(self) -> None:
        """Let no app be drained any more."""
        self._become({"drained": {}})

    @property
    def drained(self) -> dict[str, Drain]:
        return dict(self._read()["drained"])

    @property
    def happened(self) -> list[SessionEvent]:
        return list(self._read()["happened"])

    @property
    def asked(self) -> int:
        return int(self._read()["asked"])

    @property
    def viewers(self) -> int:
        """How many viewers the dashboard has in its memory."""
        return int(self._read()["viewers"])

    def _become(self, world: dict[str, object]) -> None:
        content = pickle.dumps(world)  # and no certificates are read, each time
        httpx.put(self._world, content=content, verify=False).raise_for_status()

    def _read(self) -> dict[str, Any]:
        world: dict[str, Any] = pickle.loads(httpx.get(self._world).content)
        return world


class Shown(Protocol):
    """A dashboard that is served at an address."""

    @property
    def url(self) -> str: ...


class Visit:
    """One viewer's page, which must neither complain nor leave the server."""

    def __init__(self, page: Page, world: Shown, address: str = "") -> None:
        self.page = page
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)
        page.on("request", self._follow)
        page.set_default_timeout(10_000)
        self._own = world.url.rsplit("/", 1)[0]
        page.goto(world.url + address)

    def _listen(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _follow(self, request: Any) -> None:
        if not request.url.startswith((self._own, "data:", "blob:")):
            self.strangers.append(request.url)

    def cell(self, text: str) -> Locator:
        return self.page.locator("regular-table td").get_by_text(text, exact=True)

    def shows(self, text: str) -> None:
        expect(self.cell(text).first).to_be_visible(timeout=15_000)

    def grid(self, script: str) -> Any:
        self.page.locator("regular-table").wait_for(state="attached")
        self.page.evaluate(FIND_VIEWER)
        return self.page.evaluate(script)

    def arrange(self, **config: Any) -> dict[str, Any]:
        """Set sort, filter or groups as a viewer would; return the whole arrangement."""
        self.grid("0")
        self.page.evaluate("config => window.viewer.restore(config)", config)
        return self.arrangement

    @property
    def arrangement(self) -> dict[str, Any]:
        config: dict[str, Any] = self.grid("window.viewer.save()")
        return config

    @property
    def texts(self) -> list[str]:
        texts: list[str] = self.grid(
            "[...window.grid.querySelectorAll('tbody tr')].map((row) => row.innerText)"
        )
        return texts


def a_session(number: int, app: str = "sales", user: str | None = None, **fields: Any) -> Session:
    now = datetime.now(UTC)
    plain = Session(
        session_id=SessionId(UUID(int=number, version=4)),
        app_name=app,
        user_id=user or f"user {number:03}",
        process=Process(process_id=ProcessId(UUID(int=7)), host="node-a", pid=4711),
        started_at=now - timedelta(minutes=number),
        last_heartbeat=now,
    )
    return replace(plain, **fields)


def a_task(name: str = "Generating report", progress: float | None = 0.4) -> Task:
    started_at = datetime.now(UTC) - timedelta(seconds=95)
    return Task(name=name, started_at=started_at, progress=progress)


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)
