"""The apps that have live sessions, counted."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, case, func, select

from ...application.ports import LiveApp
from .sessions import heard_until
from .tables import UtcDateTime, processes, sessions

_stale = heard_until(bindparam("stale_since", type_=UtcDateTime))


@dataclass(slots=True)
class Counts:
    """What rows of COUNTED add up to."""

    sessions: Counter[str] = field(default_factory=Counter)
    stale: Counter[str] = field(default_factory=Counter)
    running: Counter[str] = field(default_factory=Counter)
    users: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, rows: Iterable[Row[Any]]) -> None:
        """Add rows; an app, and a user of it, may come several times."""
        for row in rows:
            self.sessions[row.app_name] += row.total
            self.stale[row.app_name] += row.stale
            self.running[row.app_name] += row.running
            if row.user_id is not None:
                self.users[row.app_name].add(row.user_id)

    def apps(self) -> list[LiveApp]:
        """Return the apps in the order of their names."""
        return [
            LiveApp(
                app_name=name,
                sessions=total,
                idle=total - self.stale[name] - self.running[name],
                running=self.running[name],
                stale=self.stale[name],
                users=len(self.users[name]),
            )
            for name, total in sorted(self.sessions.items())
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
"""How many sessions each user of each app has."""
