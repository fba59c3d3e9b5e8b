"""The apps that have live sessions, counted."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, case, func, select

from ...application.ports import LiveApp
from .sessions import heard_until
from .tables import UtcDateTime, processes, sessions

_stale = heard_until(bindparam("stale_since", type_=UtcDateTime))


def counted(rows: Iterable[Row[Any]]) -> list[LiveApp]:
    """Add up rows of COUNTED, in the order of the apps' names."""
    counts: dict[str, tuple[int, int, int]] = {}
    users: dict[str, set[str | None]] = {}
    for row in rows:
        total, stale, running = counts.get(row.app_name, (0, 0, 0))
        counts[row.app_name] = (total + row.total, stale + row.stale, running + row.running)
        users.setdefault(row.app_name, set()).add(row.user_id)
    return [
        LiveApp(
            app_name=name,
            sessions=total,
            idle=total - stale - running,
            running=running,
            stale=stale,
            users=len(users[name] - {None}),
        )
        for name, (total, stale, running) in sorted(counts.items())
    ]


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


COUNTED = (
    select(
        sessions.c.app_name,
        sessions.c.user_id,
        func.count().label("total"),
        _number(_stale).label("stale"),
        _number(and_(sessions.c.task_started_at.is_not(None), ~_stale)).label("running"),
    )
    .select_from(sessions.outerjoin(processes, processes.c.process_id == sessions.c.process_id))
    .group_by(sessions.c.app_name, sessions.c.user_id)
)
"""How many sessions each user of each app has; one app may come several times."""
