"""Staleness: what silence means. Judged whenever a session is read, never stored."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .session import Session


class Status(StrEnum):
    """What a session is doing, as far as anybody can tell."""

    IDLE = "idle"
    RUNNING = "running"
    STALE = "stale"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A session as seen at a moment; spans are in seconds and never negative."""

    session: Session
    status: Status
    at: datetime

    @property
    def seconds_since_heartbeat(self) -> float:
        """How long it has been silent."""
        return elapsed(self.session.last_heartbeat, self.at)

    @property
    def duration_seconds(self) -> float:
        """How long it has lived, or did live."""
        end = self.session.end
        return elapsed(self.session.started_at, end.at if end else self.at)

    @property
    def task_seconds(self) -> float | None:
        """How long its task has been running."""
        task = self.session.task
        return elapsed(task.started_at, self.at) if task else None


def elapsed(since: datetime, until: datetime) -> float:
    """Return how long it is between two moments, in seconds, never less than 0."""
    seconds = (until - since).total_seconds()
    return seconds if seconds > 0 else 0.0


def status(last_heartbeat: datetime, stale_since: datetime, task: object) -> Status:
    """Tell what a live session is doing: anything that is true stands for its task."""
    if last_heartbeat <= stale_since:
        return Status.STALE
    return Status.RUNNING if task else Status.IDLE


@dataclass(frozen=True, slots=True, kw_only=True)
class StalenessPolicy:
    """A session is stale after `stale_after` of silence and may be removed after `expire_after`."""

    stale_after: timedelta = timedelta(seconds=120)
    expire_after: timedelta = timedelta(seconds=600)

    def judge(self, session: Session, now: datetime) -> Status:
        """Tell what `session` is doing at `now`."""
        if session.end:
            return Status.ENDED
        return status(session.last_heartbeat, self.stale_since(now), session.task)

    def stale_since(self, now: datetime) -> datetime:
        """The latest last heartbeat of a session that is stale at `now`."""
        return now - self.stale_after

    def expired_since(self, now: datetime) -> datetime:
        """The latest last heartbeat of a session that is expired at `now`."""
        return now - self.expire_after

    def observe(self, session: Session, now: datetime) -> Observation:
        """Return `session` as it looks at `now`."""
        return Observation(session=session, status=self.judge(session, now), at=now)
