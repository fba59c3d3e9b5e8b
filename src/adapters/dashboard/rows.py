"""Rows: sessions as the columns of the table. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ...domain.session import Session
from ...domain.staleness import Observation
from .words import NONE, kill_state, served_by

PICK = "Select"
SESSION = "Session"
STATUS = "Status"
KILL = "Kill"
HEARTBEAT = "Last heartbeat"

SCHEMA = {
    PICK: "string",
    SESSION: "string",
    STATUS: "string",
    "App": "string",
    "User": "string",
    "Task": "string",
    "Progress": "float",
    "Task time": "float",
    "Session time": "float",
    HEARTBEAT: "float",
    KILL: "string",
    "Process": "string",
    "Started": "datetime",
}
"""The table's columns with Perspective's types, in the order in which they are shown."""

KINDS = {
    PICK: "pick",
    SESSION: "link",
    STATUS: "status",
    KILL: "kill",
    "Task time": "span",
    "Session time": "span",
    HEARTBEAT: "span",
}
"""How cells are painted. A span travels as the moment at which it began: only that is lasting."""

AGGREGATES = {
    name: {"float": "max", "datetime": "min"}.get(kind, "unique") for name, kind in SCHEMA.items()
} | {"Progress": "avg"}
"""What the row of a group shows: text only where all its sessions agree."""


def columns(observations: Iterable[Observation]) -> dict[str, list[Any]]:
    """Return the values of the sessions, column by column; moments in milliseconds."""
    rows = [_row(seen) for seen in observations]
    return {name: [row[at] for row in rows] for at, name in enumerate(SCHEMA)}


def milliseconds(moment: datetime) -> float:
    """Return a moment as the browser counts: since the epoch."""
    return moment.timestamp() * 1000


def _row(seen: Observation) -> tuple[Any, ...]:
    session: Session = seen.session
    task, kill, session_id = session.task, session.kill, str(session.session_id)
    started_at = milliseconds(session.started_at)
    return (
        session_id,
        session_id,
        seen.status.value,
        session.app_name,
        session.user_id or NONE,
        (task and task.name) or NONE,
        task.progress if task else None,
        milliseconds(task.started_at) if task else None,
        started_at,
        milliseconds(session.last_heartbeat),
        kill_state(kill, overdue=kill.overdue(seen.at)) if kill else session_id,
        served_by(session.process),
        started_at,
    )
