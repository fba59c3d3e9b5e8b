"""The page with all sessions, as one viewer sees it."""

from typing import Any

import panel as pn

from .feed import Feed, Snapshot
from .kill import KillAll, KillOne, Orders
from .library import pmui
from .rows import counts, span
from .table import SessionTable
from .texts import Start, Strip, Summary

THEME = {
    "light": {"palette": {"primary": {"main": "#1f3a5f"}}},
    "dark": {"palette": {"primary": {"main": "#8ab4f8"}}},
}


class SessionsPage:
    """Summary, notices, the table and the dialogs; `show` brings all of them up to date."""

    def __init__(self, feed: Feed, requested_by: str | None) -> None:
        self._feed = feed
        self._banner = Strip(closable=False, kind="warning")
        self._notice = Strip()
        self._summary = Summary(sizing_mode="stretch_width", align="center")
        self._start = Start(visible=False, sizing_mode="stretch_both")
        orders = Orders(
            operator=feed.operator,
            requested_by=requested_by,
            notice=self._notice,
            hurry=feed.hurry,
        )
        self._one = KillOne(orders)
        self._all = KillAll(orders)
        self._table = SessionTable(kill=self._one.ask)
        self._arrange = pmui.Button(
            label="Filter and group", icon="tune", variant="text", align="center", margin=0
        )
        self._arrange.on_click(lambda _: self._table.arrange())
        self.view = pmui.Page(
            title="Panel Session Monitor",
            site_url="",
            busy_indicator=None,
            theme_config=THEME,
            sx={"& .header": {"backgroundColor": "#1f3a5f !important", "color": "#fff"}},
            main=[
                pn.Column(
                    pn.Row(
                        self._summary,
                        self._arrange,
                        *self._all.controls,
                        sizing_mode="stretch_width",
                        margin=(10, 0, 8, 0),
                    ),
                    self._banner,
                    self._notice,
                    self._start,
                    self._table.view,
                    self._one.dialog,
                    self._all.dialog,
                    sizing_mode="stretch_both",
                    margin=(4, 14, 8, 14),
                )
            ],
        )
        self.view.param.watch(self._follow_theme, "dark_theme")
        self._follow_theme()
        self.refresh()

    def refresh(self) -> None:
        """Show the feed's snapshot."""
        snapshot = self._feed.snapshot
        empty = snapshot.seen_at is not None and not snapshot.sessions
        self._summary.param.update(
            counts=counts(snapshot.sessions),
            seen_at=snapshot.seen_at and snapshot.seen_at.timestamp() * 1000,
        )
        self._banner.text = warning(snapshot)
        self._start.visible = empty
        self._arrange.visible = self._table.view.visible = not empty
        for part in (self._table, self._one, self._all):
            part.show(snapshot)

    def _follow_theme(self, *_: Any) -> None:
        self._table.dark(self.view.dark_theme)


def warning(snapshot: Snapshot) -> str:
    """Say that the server cannot be asked, and how old what is shown is; else nothing."""
    if snapshot.problem is None:
        return ""
    shown = "Nothing has been read yet."
    if snapshot.age is not None:
        shown = f"The sessions shown are {span(snapshot.age)} old."
    return f"The server cannot be reached: {snapshot.problem}. {shown} Trying again by itself."
