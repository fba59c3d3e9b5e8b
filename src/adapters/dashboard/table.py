"""The table of all sessions."""

from collections.abc import Callable
from datetime import datetime, timedelta

from .cells import Cells
from .feed import Snapshot
from .library import Grid
from .rows import KILL, SESSION, SPANS, STATUS, changed, columns

SPANS_EVERY = timedelta(seconds=5)
"""How often spans alone are worth a transfer; every other change is shown at once."""

_AGGREGATES = {
    "Progress": "avg",
    "Started": "min",
    **dict.fromkeys(SPANS, "max"),
    **dict.fromkeys(("App", STATUS, "User", "Task", KILL, "Kill state"), "unique"),
    **dict.fromkeys(("Host", "PID", SESSION), "unique"),
}
"""What the row of a group shows: text only where all its sessions agree."""


class SessionTable:
    """A Perspective table whose sort, filter, groups and place outlive every refresh."""

    def __init__(self, kill: Callable[[str], None]) -> None:
        self._kill = kill
        self._shown = columns(())
        self._shown_at: datetime | None = None
        self._grid = Grid(
            dict(self._shown),
            aggregates=_AGGREGATES,
            columns_config={"Progress": {"number_fg_mode": "bar", "fg_gradient": 1}},
            editable=False,
            selectable=False,
            settings=False,
            sizing_mode="stretch_both",
            min_height=300,
            margin=0,
        )
        kinds = {STATUS: "status", KILL: "kill", "Kill state": "late"}
        self.view = Cells(
            grid=self._grid,
            columns=kinds | dict.fromkeys(SPANS, "span"),
            index=SESSION,
            sizing_mode="stretch_both",
            margin=0,
        )
        self.view.param.watch(lambda _: self._clicked(), "clicked")

    def show(self, snapshot: Snapshot) -> None:
        """Send what is worth sending of `snapshot` to the browser."""
        self._grey(snapshot.problem is not None)
        if snapshot.seen_at is None:
            return
        new = snapshot.columns
        news = [] if new is self._shown else changed(self._shown, new)
        due = self._shown_at is None or snapshot.seen_at - self._shown_at >= SPANS_EVERY
        if not news or (set(news) <= set(SPANS) and not due):
            return
        if SESSION in news:
            self._grid.object = dict(new)
        else:
            whole = slice(0, len(new[SESSION]), 1)
            self._grid.patch({name: [(whole, new[name])] for name in news})
        self._shown, self._shown_at = new, snapshot.seen_at

    def dark(self, on: bool) -> None:
        """Follow the page's theme."""
        self._grid.theme = "pro-dark" if on else "pro"

    def arrange(self) -> None:
        """Open or close Perspective's own panel of columns, filters and groups."""
        self._grid.settings = not self._grid.settings

    def _grey(self, on: bool) -> None:
        # Named in both cases: a style that is merely left out stays as it was.
        self.view.styles = {
            "opacity": "0.45" if on else "1",
            "filter": "grayscale(0.7)" if on else "none",
        }

    def _clicked(self) -> None:
        session_id, _ = self.view.clicked
        self._kill(session_id)
