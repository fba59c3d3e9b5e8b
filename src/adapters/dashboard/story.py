"""The story of a session, out of its events. Pure."""

from collections.abc import Iterable
from typing import Any

from ...domain.event import EventKind, SessionEvent
from ...domain.staleness import Observation
from .rows import milliseconds
from .words import REMEDIES

UNNAMED = "(unnamed task)"


def tasks(events: Iterable[SessionEvent], seen: Observation | None) -> dict[str, Any]:
    """Return the tasks as bars of a timeline, which runs from the session's start to its end.

    A bar is its name and when it begins and ends; a task that is not over has no end.
    """
    if seen is None:
        return {"bars": [], "begin": 0.0, "end": None}
    bars: list[list[Any]] = []
    for event in events:
        if event.kind is EventKind.TASK_STARTED:
            bars.append([event.text or UNNAMED, milliseconds(event.at), None])
        elif event.kind is EventKind.TASK_ENDED and bars and bars[-1][2] is None:
            bars[-1][2] = milliseconds(event.at)
    end = seen.session.end
    over = milliseconds(end.at) if end else None
    if bars and bars[-1][2] is None and (over or seen.session.task is None):
        bars[-1][2] = over or milliseconds(seen.at)
    return {"bars": bars, "begin": milliseconds(seen.session.started_at), "end": over}


def kill_steps(seen: Observation) -> list[list[Any]]:
    """Return the steps of the session's kill as rows; none without a kill."""
    kill = seen.session.kill
    if kill is None:
        return []
    by = f" by {kill.requested_by}" if kill.requested_by else ""
    why = f": {kill.reason}" if kill.reason else ""
    steps = [
        (f"requested{by}{why}", kill.requested_at),
        ("delivered: the process has the order", kill.delivered_at),
        ("acknowledged: the app's callbacks have run", kill.acknowledged_at),
        ("ended: the page is closed", kill.ended_at),
        ("expired: the session fell silent first", kill.expired_at),
    ]
    rows = [[name, name, milliseconds(at)] for name, at in steps if at]
    late = [["overdue", f"overdue. {REMEDIES[kill.state]}", None]] if kill.overdue(seen.at) else []
    return [*rows, *late]
