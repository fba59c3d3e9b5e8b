"""One viewer: the pages, the place that is open, and when it is shown anew."""

from collections.abc import Callable
from typing import Any

import panel as pn

from .components.address import Address
from .components.nav import Nav
from .components.strip import Strip
from .desk import Desk
from .library import whole_page
from .mirror import Touched
from .orders import Orders
from .pages.apps import AppsPage
from .pages.processes import ProcessesPage
from .pages.session import SessionPage
from .pages.sessions import SessionsPage
from .place import Place
from .progress import Progress
from .pump import Pump
from .words import span

REST = 0.05
REST_FOR_EACH_ROW = 0.000_05
"""Seconds between two times that a viewer is told of changes; after quiet it is told at once.

The more rows a browser has, the longer it takes to sort them in: so 2,000 rest for 0.15 s.
"""

THEME = {
    "light": {"palette": {"primary": {"main": "#1f3a5f"}}},
    "dark": {"palette": {"primary": {"main": "#8ab4f8"}}},
}
LOOK = {
    "& .header": {"backgroundColor": "#1f3a5f !important", "color": "#fff"},
    "& .MuiLinearProgress-root": {"display": "none"},  # it has no name, and the page is never busy
}
TABS = [("sessions", "Sessions"), ("apps", "Apps"), ("processes", "Processes")]


class Viewer:
    """Shows the mirror of `pump` in the page of one browser session."""

    def __init__(self, pump: Pump, document: Any, by: str | None, place: Place) -> None:
        self._pump, self._document = pump, document
        self._touched = Touched()
        self._waiting = False
        self._begun = False
        self._waits: Place | None = None
        self._told_at = 0.0
        self.desk = Desk(
            mirror=pump.mirror,
            operator=pump.operator,
            by=by,
            place=place,
            refresh=lambda: self.notice(Touched()),
            go=self.go,
        )
        self._orders = Orders(self.desk)
        self._banner = Strip(closable=False, kind="warning")
        self._progress = Progress(self.desk)
        self._nav = Nav(pages=TABS, on_message=self._chosen, sizing_mode="stretch_width")
        self.address = Address(
            names=["page", "session", "q", "status", "app", "layout"],
            fields=place.address,
            on_message=self._led,
            width=0,
            height=0,
            margin=0,
        )
        self._sessions = SessionsPage(self.desk, self._orders)
        self.pages: dict[str, Any] = {"sessions": self._sessions}
        self._others = pn.Column(sizing_mode="stretch_both", margin=0)
        self.body = pn.Column(
            self._nav,
            self._banner,
            self.desk.notice,
            self._progress.view,
            self._sessions.view,
            self._others,
            self._orders.dialogs,
            sizing_mode="stretch_both",
            margin=(0, 14, 8, 14),
        )
        self._enter(place)

    def page(self) -> Any:
        """Return the whole page."""
        page = whole_page(
            title="Panel Session Monitor",
            site_url="",
            theme_config=THEME,
            sx=LOOK,
            main=[self.body, self.address],
        )
        page.param.watch(lambda event: self.dark(event.new), "dark_theme")
        self.dark(page.dark_theme)
        return page

    def dark(self, on: bool) -> None:
        """Follow the page's theme."""
        self._sessions.table.view.dark = on

    def go(self, place: Place) -> None:
        """Open a place."""
        self._enter(place)
        self.desk.refresh()

    def _enter(self, place: Place) -> None:
        self.desk.place = place
        self.address.fields = place.address
        self._nav.page = place.page
        if place.page not in self.pages:
            self._add(place.page)
        for name, page in self.pages.items():
            page.view.visible = name == place.page
        self._others.visible = place.page != "sessions"
        self.pages[place.page].enter(place)

    def _add(self, name: str) -> None:
        """Make a page that nobody has asked for yet: a browser is slow to make what it hides."""
        make: dict[str, Callable[[], Any]] = {
            "apps": lambda: AppsPage(self.desk, self._orders),
            "processes": lambda: ProcessesPage(self.desk),
            "session": lambda: SessionPage(self.desk, self._orders),
        }
        page = self.pages[name] = make[name]()
        self._others.append(page.view)

    def begin(self) -> None:
        """Show all there is; components miss what changes while the browser makes them."""
        self._begun = True
        self.go(self.desk.place if self._waits is None else self._waits)

    def _led(self, fields: dict[str, str]) -> None:
        """Go where the browser says: where the viewer was the last time, or one step back."""
        if self._begun:
            self.go(Place.of(fields))
        else:
            self._waits = Place.of(fields)

    def notice(self, touched: Touched) -> None:
        """Show what has changed, soon, once the browser is ready for it."""
        self._touched |= touched
        if self._waiting or not self._begun:
            return
        self._waiting = True
        rows = len(self._sessions.table.found.shown)
        due = self._told_at + REST + REST_FOR_EACH_ROW * rows
        rest = due - self._pump.mirror.clock.monotonic()
        if rest > 0:
            self._document.add_timeout_callback(self.show, int(rest * 1000))
        else:
            self._document.add_next_tick_callback(self.show)

    def show(self) -> None:
        """Show what has changed since the last time."""
        touched, self._touched, self._waiting = self._touched, Touched(), False
        self._told_at = self._pump.mirror.clock.monotonic()
        self._banner.text = warning(self._pump)
        for page in self.pages.values():
            page.view.styles = greyed(self._pump.problem is not None)
        for part in (*self.pages.values(), self._progress):
            part.show(touched)
        self._orders.show()

    def _chosen(self, page: str) -> None:
        self.go(Place(page=page, query=self.desk.place.query, layout=self.desk.place.layout))


def warning(pump: Pump) -> str:
    """Say that the server cannot be asked, and how old what is shown is; else nothing."""
    if pump.problem is None:
        return ""
    shown = "Nothing has been read yet."
    if pump.mirror.filled:
        shown = f"What is shown is {span(pump.age)} old."
    return f"The server cannot be reached: {pump.problem}. {shown} Trying again by itself."


def greyed(on: bool) -> dict[str, str]:
    """Return the style of what may no longer be so; a style that is left out would stay."""
    return {"opacity": "0.45" if on else "1", "filter": "grayscale(0.7)" if on else "none"}
