"""Sessions: what programs tell of one, and how one is shown."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, convert

from ...application.ports import LiveSession
from ...domain.ids import SessionId
from ...domain.report import Activity
from ...domain.session import End, EndReason, Process, Session
from ...domain.staleness import Observation, Status, elapsed
from ...domain.task import Task
from .kills import KillView

Pid = Annotated[int, Meta(ge=0, le=2**32 - 1, description="the operating system's process id")]
Age = Annotated[float, Meta(description="seconds since it began, by the sender's own clock")]
Progress = Annotated[float, Meta(description="from 0 to 1")]


class ProcessBody(Struct, kw_only=True):
    """The process that serves a session."""

    process_id: UUID
    host: str | None = None
    pid: Pid | None = None


class RegisterBody(Struct, kw_only=True):
    """A session to be put on the live list; without an id of its own it is given one."""

    app_name: str
    user_id: str | None = None
    session_id: UUID | None = None
    process: ProcessBody | None = None
    age: Age = 0.0

    @property
    def known_id(self) -> SessionId | None:
        """The id that the client chose."""
        return SessionId(self.session_id) if self.session_id else None

    @property
    def serving(self) -> Process | None:
        """The process as the domain knows it."""
        return convert(self.process, Process, from_attributes=True) if self.process else None


class Registered(Struct, kw_only=True):
    """The id to use from now on, and how often to send a heartbeat, in seconds."""

    session_id: UUID
    heartbeat_interval: float


class Heartbeat(Struct, kw_only=True):
    """Whether an operator wants the session ended."""

    kill_requested: bool
    kill: KillView | None


class StatusBody(Struct, kw_only=True, omit_defaults=True):
    """What a session is doing."""

    status: Literal["idle", "running"]
    task: str | None = None
    progress: Progress | None = None
    age: Age | None = None

    def activity(self, session_id: UUID) -> Activity:
        """Return it as the domain knows it."""
        return Activity(
            session_id=SessionId(session_id),
            running=self.status == "running",
            task=self.task,
            progress=self.progress,
            age=self.age,
        )


class SessionView(Struct, gc=False):
    """A session as it is seen at the moment of the answer; an ended one says when and why."""

    session_id: UUID
    app_name: str
    user_id: str | None
    process_id: UUID | None
    host: str | None
    pid: int | None
    status: Status
    task: str | None
    progress: float | None
    started_at: datetime
    last_heartbeat: datetime
    task_started_at: datetime | None
    kill_requested: bool
    kill: KillView | None
    seconds_since_heartbeat: float
    duration_seconds: float
    task_seconds: float | None
    ended_at: datetime | UnsetType = UNSET
    end_reason: EndReason | UnsetType = UNSET

    @classmethod
    def of(cls, seen: Observation) -> Self:
        """Return a session as it travels."""
        view = cls.listed(LiveSession.of(seen.session), seen.status, seen.at)
        if end := seen.session.end:
            view.ended_at, view.end_reason = end.at, end.reason
            view.duration_seconds = seen.duration_seconds
        return view

    @classmethod
    def listed(cls, session: LiveSession, status: Status, at: datetime) -> Self:
        """Return a live session as it travels in a list that is as of a moment.

        There may be very many: the values go by position.
        """
        id_, app, user, process_id, host, pid, task, progress, start, heard, since, kill = session
        return cls(
            id_,
            app,
            user,
            process_id,
            host,
            pid,
            status,
            task,
            progress,
            start,
            heard,
            since,
            kill is not None,
            KillView.of(kill, at) if kill else None,
            elapsed(heard, at),
            elapsed(start, at),
            elapsed(since, at) if since else None,
        )

    def observation(self) -> Observation:
        """Return it as the domain knows it, seen at the moment of the answer."""
        session = Session(
            session_id=SessionId(self.session_id),
            app_name=self.app_name,
            user_id=self.user_id,
            process=convert(self, Process, from_attributes=True) if self.process_id else None,
            started_at=self.started_at,
            last_heartbeat=self.last_heartbeat,
            task=self._task(),
            kill=self.kill.kill() if self.kill else None,
            end=self._end(),
        )
        silence = timedelta(seconds=self.seconds_since_heartbeat)
        return Observation(session=session, status=self.status, at=self.last_heartbeat + silence)

    def _task(self) -> Task | None:
        if self.task_started_at is None:
            return None
        return Task(name=self.task, started_at=self.task_started_at, progress=self.progress)

    def _end(self) -> End | None:
        if self.ended_at is UNSET or self.end_reason is UNSET:
            return None
        return End(at=self.ended_at, reason=self.end_reason)


class Deleted(Struct, kw_only=True):
    """How many sessions were removed from the live list."""

    deleted: int
