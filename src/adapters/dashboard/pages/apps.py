"""The page with all apps."""

from collections import Counter
from typing import Any

import panel as pn

from ....domain.drain import Drain
from ....domain.staleness import Status
from ..components.listing import Listing
from ..desk import Desk
from ..mirror import Tally, Touched
from ..orders import Orders
from ..place import Place
from ..rows import milliseconds
from ..view import Query
from ..words import NONE

NAMED = 3
"""How many of an app's tasks are named."""

COLUMNS = [
    ("App", "text"),
    ("Sessions", "number"),
    ("Idle", "number"),
    ("Running", "number"),
    ("Stale", "number"),
    ("Users", "number"),
    ("Tasks now", "text"),
    ("Drained since", "time"),
    ("Rest killed at", "time"),
    ("", "actions"),
]
DRAINED = [("sessions", "Sessions", False), ("undrain", "Undo drain", False)]
USUAL = [("sessions", "Sessions", False), ("message", "Message", False), ("drain", "Drain", False)]
KILL = ("kill", "Kill all", True)


class AppsPage:
    """Every app with its sessions by status, its users, its tasks, and what can be done to it."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        self._desk, self._orders = desk, orders
        self._list = Listing(
            label="Apps",
            columns=COLUMNS,
            empty="No app has live sessions. The page Sessions says how to track the first one.",
            on_message=self._asked,
            sizing_mode="stretch_width",
        )
        self.view = pn.Column(self._list, sizing_mode="stretch_both", scroll=True)

    def enter(self, _: Place) -> None:
        """Nothing on it depends on the place."""

    def show(self, _: Touched) -> None:
        """Show the counts as they are."""
        if self._desk.place.page != "apps":
            return
        mirror = self._desk.mirror
        names = sorted(mirror.apps.keys() | mirror.drains.keys(), key=str.casefold)
        self._list.rows = [
            row(name, mirror.apps.get(name, Tally()), mirror.drains.get(name)) for name in names
        ]

    def _asked(self, message: tuple[str, str]) -> None:
        action, app_name = message
        match action:
            case "sessions":
                self._desk.go(Place(query=Query(app_name=app_name), layout=self._desk.place.layout))
            case "message":
                self._orders.message(app_name=app_name)
            case "drain":
                self._orders.drain(app_name)
            case "undrain":
                self._orders.undrain(app_name)
            case "kill":
                self._orders.kill_app(app_name)


def row(name: str, tally: Tally, drain: Drain | None) -> list[Any]:
    """Return an app as a row."""
    counts, number = tally.statuses, tally.statuses.total()
    kill_at = drain and drain.kill_at
    return [
        name,
        name,
        number,
        *(counts[status] for status in (Status.IDLE, Status.RUNNING, Status.STALE)),
        len(tally.users),
        tasks(tally.tasks),
        drain and milliseconds(drain.started_at),
        kill_at and milliseconds(kill_at),
        [*(DRAINED if drain else USUAL), *([KILL] if number else [])],
    ]


def tasks(running: Counter[str]) -> str:
    """Name the most frequent tasks: `Load data (3), Simulate, and 2 more`."""
    named = [
        f"{name} ({number:,})" if number > 1 else name
        for name, number in running.most_common(NAMED)
    ]
    rest = [f"and {len(running) - NAMED:,} more"] if len(running) > NAMED else []
    return ", ".join([*named, *rest]) or NONE
