"""Sessions by the thousand, put into our server and into the baseline."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any
from uuid import UUID, uuid4

from panel_session_monitor.adapters.clock import TimeOrderedIds

from .load import deliver, request

APP, USER = "report", "ada"


@dataclass(frozen=True, slots=True)
class Serving:
    """A process and the sessions that it serves."""

    process_id: UUID
    session_ids: tuple[UUID, ...]

    def registration(self) -> bytes:
        """Return the request that makes all of them known."""
        items = [
            {"session_id": each, "app_name": APP, "user_id": USER} for each in self.session_ids
        ]
        return self._report(session_ids=[], registrations=items)

    def beat(self) -> bytes:
        """Return the request that is the heartbeat of all of them."""
        return self._report(session_ids=self.session_ids)

    def _report(self, **lists: Any) -> bytes:
        return request("POST", "/heartbeats", {"process_id": self.process_id, **lists})


def processes(count: int, *, sessions_each: int) -> list[Serving]:
    """Return processes whose sessions have ids in the order of time, as the client makes them."""
    ids = TimeOrderedIds()
    ordered = iter(sorted(ids.new() for _ in range(count * sessions_each)))
    return [
        Serving(ids.new(), tuple(next(ordered) for _ in range(sessions_each))) for _ in range(count)
    ]


def register(port: int, serving: Iterable[Serving], *, connections: int = 1) -> None:
    """Register all sessions, in order unless there are several connections."""
    deliver(port, (each.registration() for each in serving), connections=connections)


def fill_baseline(database: Path, count: int) -> list[str]:
    """Write as many sessions into the baseline's database; return their ids in that order."""
    now, ids = time(), [str(uuid4()) for _ in range(count)]
    rows = [(each, APP, USER, "idle", None, now, now, 0) for each in ids]
    with sqlite3.connect(database) as connection:
        connection.executemany("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    return ids


def heartbeats(session_ids: Sequence[object]) -> list[bytes]:
    """Return one request for the heartbeat of each session."""
    return [request("POST", f"/sessions/{each}/heartbeat") for each in session_ids]
