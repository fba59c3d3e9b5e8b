"""Processes, as they are shown."""

from datetime import datetime
from typing import Self
from uuid import UUID

from msgspec import Struct, convert

from ...application.ports import LiveProcess
from ...domain.report import Figures
from ...domain.session import Process
from ...domain.staleness import elapsed


class ProcessView(Struct, kw_only=True):
    """A process that serves sessions, and how it fares by what it last told."""

    process_id: UUID
    host: str | None
    pid: int | None
    version: str | None
    sessions: int
    started_at: datetime
    last_heartbeat: datetime
    seconds_since_heartbeat: float
    connected: bool
    rss_bytes: int | None
    cpu_percent: float | None
    loop_lag_seconds: float | None

    @classmethod
    def of(cls, seen: LiveProcess, at: datetime) -> Self:
        """Return a process as it is seen at a moment."""
        process, figures = seen.process, seen.figures
        return cls(
            process_id=process.process_id,
            host=process.host,
            pid=process.pid,
            version=figures.version,
            sessions=seen.sessions,
            started_at=seen.started_at,
            last_heartbeat=seen.last_heartbeat,
            seconds_since_heartbeat=elapsed(seen.last_heartbeat, at),
            connected=figures.connected,
            rss_bytes=figures.rss_bytes,
            cpu_percent=figures.cpu_percent,
            loop_lag_seconds=figures.loop_lag_seconds,
        )

    def process(self) -> LiveProcess:
        """Return it as the application knows it."""
        return LiveProcess(
            process=convert(self, Process, from_attributes=True),
            started_at=self.started_at,
            last_heartbeat=self.last_heartbeat,
            sessions=self.sessions,
            figures=convert(self, Figures, from_attributes=True),
        )
