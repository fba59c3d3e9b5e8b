"""Rows: sessions as the columns of a table, and spans as words. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...domain.staleness import Observation

Column: TypeAlias = NDArray[Any]
Columns: TypeAlias = dict[str, Column]

NONE = "—"
"""What stands for absent text."""

KILL = "Kill"
STATUS = "Status"
SESSION = "Session"
SPANS = ("Task time", "Session time", "Last heartbeat")
"""The columns that grow by themselves, in seconds."""

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def columns(observations: Sequence[Observation]) -> Columns:
    """Return the table's columns, each of one type whatever the sessions are.

    Perspective forgets sort, filter and groups when a type changes, and Panel derives the type of
    text from the first row alone: so absent text is a dash and an absent number NaN. The arrays
    are read-only, since all viewers share them; Panel copies such before it changes them.
    """
    sessions = [observation.session for observation in observations]
    tasks = [session.task for session in sessions]
    processes = [session.process for session in sessions]
    table = {
        STATUS: _texts(observation.status.value for observation in observations),
        "App": _texts(session.app_name for session in sessions),
        "User": _texts(session.user_id or NONE for session in sessions),
        "Task": _texts((task and task.name) or NONE for task in tasks),
        "Progress": _numbers(task.progress if task else None for task in tasks),
        "Task time": _seconds(observation.task_seconds for observation in observations),
        "Session time": _seconds(observation.duration_seconds for observation in observations),
        "Last heartbeat": _seconds(seen.seconds_since_heartbeat for seen in observations),
        KILL: _texts(_killable(observation) for observation in observations),
        "Kill state": _texts(kill_state(observation) for observation in observations),
        "Started": np.array([_utc(session.started_at) for session in sessions], "datetime64[ms]"),
        "Host": _texts((process and process.host) or NONE for process in processes),
        "PID": _texts(str((process and process.pid) or NONE) for process in processes),
        SESSION: _texts(str(session.session_id) for session in sessions),
    }
    for column in table.values():
        column.flags.writeable = False
    return table


def kill_state(observation: Observation) -> str:
    """Tell how far the session's kill has come, and whether it is late; empty without a kill."""
    kill = observation.session.kill
    if kill is None:
        return ""
    return f"{kill.state} · overdue" if kill.overdue(observation.at) else kill.state.value


def changed(old: Columns, new: Columns) -> list[str]:
    """Return the names of the columns that differ."""
    return [name for name, column in new.items() if not _same(old[name], column)]


def counts(observations: Sequence[Observation]) -> dict[str, int]:
    """Count all sessions, their apps, and those of each status."""
    statuses = Counter(observation.status.value for observation in observations)
    apps = {observation.session.app_name for observation in observations}
    return {"all": len(observations), "apps": len(apps), **statuses}


def span(seconds: float) -> str:
    """Return a span in words, in its two greatest units: `42 s`, `3 min 5 s`, `2 d 1 h`."""
    rest = int(seconds)
    for (large, size), (small, step) in pairwise(_UNITS):
        if rest >= size:
            return f"{rest // size} {large} {rest % size // step} {small}"
    return f"{rest} s"


def _killable(observation: Observation) -> str:
    session = observation.session
    return "" if session.kill else str(session.session_id)


def _texts(values: Iterable[str]) -> Column:
    return np.array(list(values), object)


def _numbers(values: Iterable[float | None]) -> Column:
    return np.array([np.nan if value is None else value for value in values], float)


def _seconds(values: Iterable[float | None]) -> Column:
    return np.floor(_numbers(values))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)  # NumPy knows no zones


def _same(one: Column, other: Column) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
