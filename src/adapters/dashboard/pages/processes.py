"""The page with the processes that serve sessions."""

from typing import Any

import panel as pn

from ....application.ports import LiveProcess
from ....application.processes import Processes
from ....domain.staleness import StalenessPolicy, Status
from ..components.listing import Listing
from ..desk import Desk
from ..mirror import Touched
from ..place import Place
from ..rows import milliseconds
from ..words import served_by

ASK_EVERY = 5.0
"""Seconds between two looks at the processes, while a viewer is on the page."""

COLUMNS = [
    ("Process", "text"),
    ("Link", "mark"),
    ("Sessions", "number"),
    ("Memory of the process (RSS)", "size"),
    ("CPU", "percent"),
    ("Event-loop lag", "lag"),
    ("Version", "text"),
    ("Up for", "since"),
    ("Last heartbeat", "since"),
]


class ProcessesPage:
    """Every process, with what it last told of itself."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._asked_at: float | None = None
        self._list = Listing(
            label="Processes",
            columns=COLUMNS,
            empty="No process has been heard of lately: one appears with the first session of a "
            "tracked app that it serves.",
            sizing_mode="stretch_width",
        )
        self.view = pn.Column(self._list, sizing_mode="stretch_both", scroll=True)

    def enter(self, _: Place) -> None:
        """Ask at once when it is shown next."""
        self._asked_at = None

    def show(self, _: Touched) -> None:
        """Ask again when it is time."""
        now = self._desk.mirror.clock.monotonic()
        due = self._asked_at is None or now - self._asked_at >= ASK_EVERY
        if self._desk.place.page == "processes" and due:
            self._asked_at = now
            self._desk.send(self._ask())

    async def _ask(self) -> None:
        told = await self._desk.operator.processes()
        policy = self._desk.mirror.policy
        ordered = sorted(told.processes, key=lambda each: served_by(each.process).casefold())
        self._list.rows = [row(each, told, policy) for each in ordered]
        self._list.ahead = self._desk.ahead


def row(each: LiveProcess, told: Processes, policy: StalenessPolicy) -> list[Any]:
    """Return a process as a row."""
    figures = each.figures
    return [
        str(each.process.process_id),
        served_by(each.process),
        link(each, told, policy),
        each.sessions,
        figures.rss_bytes,
        None if figures.cpu_percent is None else figures.cpu_percent / 100,
        figures.loop_lag_seconds,
        figures.version,
        milliseconds(each.started_at),
        milliseconds(each.last_heartbeat),
    ]


def link(each: LiveProcess, told: Processes, policy: StalenessPolicy) -> tuple[str, Status]:
    """Tell whether it is heard of, and whether orders reach it at once."""
    if each.last_heartbeat <= policy.stale_since(told.at):
        return "silent", Status.STALE
    if not each.figures.connected:
        return "heartbeats only", Status.RUNNING
    return "connected", Status.IDLE
