"""How far the kills have come that a viewer has ordered."""

import panel as pn

from .components.listing import Listing
from .components.toolbar import Tool, Toolbar
from .desk import Desk
from .followed import Followed, Step
from .mirror import Touched
from .rows import milliseconds
from .words import NONE

LISTED = 50
"""How many kills are listed one by one: those that need attention, then those that are not over."""

COLUMNS = [
    ("Session", "link"),
    ("User", "text"),
    ("App", "text"),
    ("State", "mark"),
    ("Requested", "time"),
    ("Delivered", "time"),
    ("Acknowledged", "time"),
    ("Ended", "time"),
    ("What to do", "text"),
]


class Progress:
    """A panel that is there as long as kills are followed."""

    def __init__(self, desk: Desk) -> None:
        self._followed: Followed = desk.followed
        self._list = Listing(
            columns=COLUMNS,
            on_message=lambda message: desk.open_named(message[1]),
            sizing_mode="stretch_width",
        )
        close = Toolbar({"close": self._closed})
        close.offer(Tool("close", "Close this list", "close"))
        self.view = pn.Column(
            self._list,
            close,
            visible=False,
            sizing_mode="stretch_width",
            max_height=320,
            scroll=True,
        )

    def show(self, _: Touched) -> None:
        """Show how far they have come."""
        self.view.visible = bool(self._followed)
        if not self._followed:
            return
        steps = self._followed.steps()
        more = f"; {LISTED} of {len(steps):,} listed" if len(steps) > LISTED else ""
        self._list.param.update(
            label=f"Kills ordered here: {Followed.summary(steps)}{more}",
            rows=[row(step) for step in steps[:LISTED]],
        )

    def _closed(self) -> None:
        self._followed.forget()
        self.view.visible = False


def row(step: Step) -> list[object]:
    """Return a kill's progress as a row."""
    session, kill = step.session, step.kill
    key = str(session.session_id)
    moments = (
        kill and kill.requested_at,
        kill and kill.delivered_at,
        kill and kill.acknowledged_at,
        kill and kill.ended_at,
    )
    over = step.state in ("ended", "expired", "gone")
    state = f"{step.state} · overdue" if step.overdue else step.state
    kind = "overdue" if step.overdue else "done" if over else "waiting"
    return [
        key,
        [key[-8:], key],
        session.user_id or NONE,
        session.app_name,
        [state, kind],
        *(moment and milliseconds(moment) for moment in moments),
        step.remedy,
    ]
