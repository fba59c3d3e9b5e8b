"""The page with all sessions."""

from dataclasses import replace
from typing import Any

import panel as pn

from ....domain.staleness import Status
from ..components.finder import Finder
from ..components.start import Start
from ..components.toolbar import Tool, Toolbar
from ..desk import Desk
from ..live_table import LiveTable
from ..mirror import Mirror, Touched
from ..orders import Orders
from ..place import Place
from ..view import View
from ..words import sessions


class SessionsPage:
    """Finder, actions and the live table."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        self._desk, self._orders = desk, orders
        self.table = LiveTable(desk, orders, changed=self._picked)
        self._start = Start(visible=False, sizing_mode="stretch_both")
        self._finder = Finder(sizing_mode="stretch_width", margin=(8, 0))
        self._finder.param.watch(self._searched, ["text", "statuses", "app"])
        self._tools = Toolbar(
            {
                "pause": self._pauses,
                "arrange": self._arranges,
                "pick": self._picks,
                "message": lambda: orders.message(app_name=self._app),
                "drain": lambda: orders.drain(str(self._app)),
                "kill": lambda: orders.kill_many(self.table.picked),
                "kill_app": lambda: orders.kill_app(str(self._app)),
            }
        )
        self.view = pn.Column(
            self._finder, self._tools, self._start, self.table.view, sizing_mode="stretch_both"
        )

    @property
    def _app(self) -> str | None:
        return self._desk.place.query.app_name

    def enter(self, place: Place) -> None:
        """Search for what the place says."""
        query = place.query
        self._finder.param.update(
            text=query.text, statuses=sorted(query.statuses), app=query.app_name or ""
        )
        self.table.view.layout = place.layout
        self.table.search(query)
        self._say()

    def show(self, touched: Touched) -> None:
        """Show what has changed."""
        self.table.show(touched)
        self._say()

    def _say(self) -> None:
        mirror, found = self._desk.mirror, self.table.found
        empty = mirror.filled and not mirror.sessions and not mirror.drains
        self._start.visible = empty
        self.table.view.visible = self._finder.visible = self._tools.visible = not empty
        apps = sorted(mirror.apps.items(), key=lambda each: each[0].casefold())
        self._finder.param.update(
            told=told(mirror, found),
            counts={status.value: found.counts[status] for status in Status},
            apps=[(name, tally.statuses.total()) for name, tally in apps],
        )
        self._offer(mirror.apps[self._app].statuses.total() if self._app in mirror.apps else 0)

    def _offer(self, of_app: int) -> None:
        paused, picked, chosen = self.table.paused, len(self.table.picked), self._app is not None
        drained = self._app in self._desk.mirror.drains
        kill_app = f"Kill all · {sessions(of_app)}"
        self._tools.offer(
            Tool("pause", "Resume", "play") if paused else Tool("pause", "Pause", "pause"),
            Tool("arrange", "Filter and group", "tune"),
            Tool("pick", "Select none" if picked else "Select all shown", "check"),
            Tool("message", "Message to the app" if chosen else "Message to all", "chat"),
            Tool("drain", "Drain", "hourglass") if chosen and not drained else None,
            Tool("kill", f"Kill selected ({picked:,})", danger=True) if picked else None,
            Tool("kill_app", kill_app, danger=True, disabled=not of_app) if chosen else None,
        )

    def _searched(self, *_: Any) -> None:
        place, finder = self._desk.place, self._finder
        query = replace(
            place.query,
            text=finder.text,
            statuses=frozenset(map(Status, finder.statuses)),
            app_name=finder.app or None,
        )
        if query != place.query:
            self._desk.go(replace(place, query=query))

    def _picked(self) -> None:
        self._say()

    def _picks(self) -> None:
        self.table.pick(frozenset() if self.table.picked else self.table.found.shown)
        self._say()

    def _pauses(self) -> None:
        self.table.pause(not self.table.paused)
        self._say()

    def _arranges(self) -> None:
        self.table.view.settings = not self.table.view.settings


def told(mirror: Mirror, found: View) -> str:
    """Say how many sessions match, and how many of these are shown."""
    if not mirror.filled:
        return "Waiting for the server …"
    if found.matches > found.most_shown:
        return f"first {found.most_shown:,} of {sessions(found.matches)}"
    if mirror.sessions and not found.matches:
        return "No session matches: search for less, or choose All apps"
    return sessions(found.matches)
