"""What a process tells about its sessions: each kind of news knows what it does to a session.

Moments travel as ages in seconds, measured by the process's own monotonic clock, so that the
clocks of the two hosts need not agree: only the monitor's `now` counts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from .drain import Drain
from .errors import InvalidField, SessionNotFound, SessionOfAnotherApp, SessionOfAnotherProcess
from .ids import DrainId, KillId, MessageId, SessionId
from .kill import Kill, KillState
from .message import Message
from .session import EndReason, Process, Session
from .task import Task

LONGEST_AGE = timedelta(days=3650).total_seconds()
"""Greatest age accepted, in seconds: ten years keep every moment within the calendar."""


def moment(field: str, age: float, now: datetime) -> datetime:
    """Return when it was `age` seconds ago (raises InvalidField)."""
    if not 0 <= age <= LONGEST_AGE:
        raise InvalidField(field, f"must lie between 0 and {LONGEST_AGE:.0f} seconds")
    return now - timedelta(seconds=age)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A session exists; told again, it changes nothing but the process that serves it."""

    session_id: SessionId
    app_name: str
    user_id: str | None = None
    age: float = 0.0
    process: Process | None = None

    def applied(self, session: Session | None, now: datetime) -> Session:
        """Return the session, new or as it is (raises Conflict, Gone, Invalid)."""
        fresh = Session(
            session_id=self.session_id,
            app_name=self.app_name,
            user_id=self.user_id,
            process=self.process,
            started_at=moment("age", self.age, now),
            last_heartbeat=now,
        )
        if session is None:
            return fresh
        if session.app_name != fresh.app_name:
            raise SessionOfAnotherApp(session.session_id, session.app_name)
        seen = session.seen(now)
        return seen.served_by(self.process) if self.process else seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What a session is doing: running, with or without a named task, or idle."""

    session_id: SessionId
    running: bool
    task: str | None = None
    progress: float | None = None
    age: float | None = None

    def applied(self, session: Session | None, now: datetime) -> Session:
        """Return the session at its work (raises NotFound, Gone, Invalid)."""
        session = known(session, self.session_id)
        started_at = None if self.age is None else moment("age", self.age, now)
        if not self.running:
            Task(name=self.task, progress=self.progress, started_at=now)  # its rules hold anyway
            return session.resting(now)
        return session.working(self.task, now, progress=self.progress, started_at=started_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class KillStep:
    """How far a kill has come at the process: delivered or acknowledged."""

    session_id: SessionId
    kill_id: KillId
    state: KillState

    def applied(self, session: Session | None, now: datetime) -> Session:
        """Return the session with the step taken; a foreign kill's step changes nothing."""
        session = known(session, self.session_id)
        kill = session.kill
        if kill is None or kill.kill_id != self.kill_id:
            return session
        if self.state is KillState.DELIVERED:
            return session.reported(kill.delivered(now))
        if self.state is KillState.ACKNOWLEDGED:
            return session.reported(kill.acknowledged(now))
        raise InvalidField("state", "a process reports delivered or acknowledged")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A session is over, by itself or by a kill; told again, it changes nothing."""

    session_id: SessionId
    reason: EndReason | None = None

    def applied(self, session: Session | None, now: datetime) -> Session:
        """Return the session at its end (raises NotFound, Invalid)."""
        if self.reason is EndReason.EXPIRED:
            raise InvalidField("reason", "only the monitor finds that a session has expired")
        return known(session, self.session_id).ended(now, self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A message was shown in a session's page; told again, it changes nothing."""

    session_id: SessionId
    message_id: MessageId

    def applied(self, session: Session | None, now: datetime) -> Session:  # noqa: ARG002  # as others
        """Return the session as it is (raises NotFound)."""
        return known(session, self.session_id)


News = Registration | Activity | KillStep | Shown | Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How a process fares, as it measures itself; None where it cannot tell.

    connected          whether its order stream stands: a kill reaches it at once
    rss_bytes          resident memory of the whole process
    cpu_percent        CPU time since the last report; 100 is one core
    loop_lag_seconds   how long its event loop took to come round: whether it works
    version            version of the client library
    """

    connected: bool = False
    rss_bytes: int | None = None
    cpu_percent: float | None = None
    loop_lag_seconds: float | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that one process has to say at a time: who is alive, then what has happened.

    Without a process it is a program that speaks for its sessions, whoever serves them.
    """

    process: Process | None = None
    session_ids: tuple[SessionId, ...] = ()
    news: tuple[News, ...] = ()
    figures: Figures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A kill on its way to the process that serves the session."""

    session_id: SessionId
    kill_id: KillId
    reason: str | None = None
    requested_by: str | None = None

    @classmethod
    def of(cls, session_id: SessionId, kill: Kill) -> Self:
        """Return a kill as a process is told of it."""
        return cls(
            session_id=session_id,
            kill_id=kill.kill_id,
            reason=kill.reason,
            requested_by=kill.requested_by,
        )

    @property
    def id(self) -> UUID:
        """What tells it from every other order."""
        return self.kill_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message on its way to the process that serves the session."""

    session_id: SessionId
    message_id: MessageId
    text: str
    sent_by: str | None = None

    @classmethod
    def of(cls, message: Message) -> Self:
        """Return a message as a process is told of it."""
        return cls(
            session_id=message.session_id,
            message_id=message.message_id,
            text=message.text,
            sent_by=message.sent_by,
        )

    @property
    def id(self) -> UUID:
        """What tells it from every other order."""
        return self.message_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Draining:
    """An app is being drained; in `seconds_left` its sessions will be ended, if that is set."""

    app_name: str
    drain_id: DrainId
    seconds_left: float | None = None
    reason: str | None = None
    requested_by: str | None = None

    @classmethod
    def of(cls, drain: Drain, now: datetime) -> Self:
        """Return a drain as a process is told of it."""
        left = (drain.kill_at - now).total_seconds() if drain.kill_at else None
        return cls(
            app_name=drain.app_name,
            drain_id=drain.drain_id,
            seconds_left=left if left is None else max(0.0, left),
            reason=drain.reason,
            requested_by=drain.requested_by,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drains:
    """All the drains that stand now; whatever is not among them is over."""

    drains: tuple[Draining, ...] = ()


Instruction = Order | Notice | Drains
"""What the order stream brings to a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """News that was not taken, with the reason; the rest of its report was."""

    session_id: SessionId
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the monitor answers a report: orders to obey, ids it does not know, ids that ended.

    `drains` are all that stand, whichever apps the process has.
    """

    heartbeat_interval: float
    kill_requested: tuple[Order, ...] = ()
    unknown: tuple[SessionId, ...] = ()
    ended: tuple[SessionId, ...] = ()
    refused: tuple[Refusal, ...] = ()
    messages: tuple[Notice, ...] = ()
    drains: tuple[Draining, ...] = ()


def known(session: Session | None, session_id: SessionId) -> Session:
    """Return `session`, or raise SessionNotFound where there is none."""
    if session is None:
        raise SessionNotFound(session_id)
    return session


def is_served_by(session: Session, process: Process | None) -> bool:
    """Tell whether `process`, or a program without one, may speak for the session."""
    if process is None or session.process is None:
        return True
    return session.process.process_id == process.process_id


def require_served_by(session: Session | None, process: Process | None) -> None:
    """Raise SessionOfAnotherProcess unless `process` may speak for the session."""
    if session and not is_served_by(session, process):
        raise SessionOfAnotherProcess(session.session_id)
