"""A session: an immutable snapshot and its transitions, each of which gives the next one."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from .errors import SessionEnded
from .ids import ProcessId, SessionId, name, optional_name
from .kill import Kill
from .task import Task


class EndReason(StrEnum):
    """Why a session is over."""

    CLOSED = "closed"
    KILLED = "killed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """An operating-system process that serves sessions."""

    process_id: ProcessId
    host: str | None = None
    pid: int | None = None

    def __post_init__(self) -> None:
        """Hold the rule of the host's name (raises InvalidField)."""
        object.__setattr__(self, "host", optional_name("host", self.host))


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The end of a session."""

    at: datetime
    reason: EndReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser session of an app. No task means idle; whether it is stale depends on `now`."""

    session_id: SessionId
    app_name: str
    user_id: str | None = None
    process: Process | None = None
    started_at: datetime
    last_heartbeat: datetime
    task: Task | None = None
    kill: Kill | None = None
    end: End | None = None

    def __post_init__(self) -> None:
        """Hold the rules of the names (raises InvalidField)."""
        object.__setattr__(self, "app_name", name("app_name", self.app_name))
        object.__setattr__(self, "user_id", optional_name("user_id", self.user_id))

    def seen(self, now: datetime) -> Self:
        """A heartbeat arrived; time never runs backwards."""
        return self._change(last_heartbeat=max(self.last_heartbeat, now))

    def served_by(self, process: Process) -> Self:
        """A process has it, be it another one than before."""
        return self._change(process=process)

    def working(
        self,
        name: str | None,
        now: datetime,
        *,
        progress: float | None = None,
        started_at: datetime | None = None,
    ) -> Self:
        """A task is in progress; without a start of its own, the same task goes on."""
        task = Task(name=name, started_at=started_at or now, progress=progress)
        if started_at is None and self.task and self.task.name == task.name:
            task = replace(task, started_at=self.task.started_at)
        return self._change(task=task).seen(now)

    def resting(self, now: datetime) -> Self:
        """No task is in progress."""
        return self._change(task=None).seen(now)

    def ordered(self, kill: Kill) -> Self:
        """An operator wants it ended; the first order stands."""
        return self._change(kill=self.kill or kill)

    def reported(self, kill: Kill) -> Self:
        """The process told how far the kill has come."""
        return self._change(kill=kill)

    def ended(self, now: datetime, reason: EndReason | None = None) -> Self:
        """It is over; again changes nothing.

        Without a `reason` it was killed if a kill was ordered, since it did what it was told.
        """
        if self.end:
            return self
        reason = reason or (EndReason.KILLED if self.kill else EndReason.CLOSED)
        return replace(
            self,
            task=None,
            kill=self.kill and self.kill.ended(now),
            end=End(at=now, reason=reason),
        )

    def expired(self, now: datetime) -> Self:
        """It was silent for so long that nobody waits for it."""
        if self.end:
            return self
        silenced = replace(self, kill=self.kill and self.kill.expired(now))
        return silenced.ended(now, EndReason.EXPIRED)

    def _change(self, **fields: object) -> Self:
        if self.end:
            raise SessionEnded(self.session_id)
        return replace(self, **fields)  # type: ignore[arg-type]  # the keywords are ours, above
