"""Events: what has happened in a session's life, for those who look back on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .ids import ProcessId, SessionId
from .kill import Kill
from .session import Session
from .task import Task


class EventKind(StrEnum):
    """What happened; the last three end a session."""

    OPENED = "opened"
    MOVED = "moved"
    TASK_STARTED = "task started"
    TASK_ENDED = "task ended"
    KILL_REQUESTED = "kill requested"
    KILL_DELIVERED = "kill delivered"
    KILL_ACKNOWLEDGED = "kill acknowledged"
    MESSAGE_SENT = "message sent"
    MESSAGE_DELIVERED = "message delivered"
    CLOSED = "closed"
    KILLED = "killed"
    EXPIRED = "expired"


TASK_EVENTS = (EventKind.TASK_STARTED, EventKind.TASK_ENDED)

MOST_EVENTS = 500
"""Most events that are kept of a session: of more, the oldest go, those of tasks first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent:
    """Something happened to a session at a moment.

    `text` is the task's name, the kill's reason, the message's text, or the process's host and
    pid; `by` is who ordered or sent it.
    """

    session_id: SessionId
    at: datetime
    kind: EventKind
    text: str | None = None
    by: str | None = None


def between(before: Session | None, after: Session, now: datetime) -> Iterator[SessionEvent]:
    """Yield what has happened between two snapshots of a session that were stored in turn.

    A task whose progress alone has changed goes on; one that began at another moment, or bears
    another name, is another one.
    """
    session_id = after.session_id
    end = None if before and before.end else after.end
    now = end.at if end else now
    if before is None:
        at = after.started_at
        yield SessionEvent(session_id=session_id, at=at, kind=EventKind.OPENED, text=_served(after))
    elif _process_id(before) != _process_id(after):
        yield SessionEvent(session_id=session_id, at=now, kind=EventKind.MOVED, text=_served(after))
    yield from _of_task(before.task if before else None, after, now)
    yield from _of_kill(before.kill if before else None, after)
    if end:
        yield SessionEvent(session_id=session_id, at=now, kind=EventKind(end.reason))


def _of_task(before: Task | None, after: Session, now: datetime) -> Iterator[SessionEvent]:
    task = after.task
    if before and task and (before.name, before.started_at) == (task.name, task.started_at):
        return
    if before:
        at = max(before.started_at, min(now, task.started_at)) if task else now
        kind = EventKind.TASK_ENDED
        yield SessionEvent(session_id=after.session_id, at=at, kind=kind, text=before.name)
    if task:
        at, kind = task.started_at, EventKind.TASK_STARTED
        yield SessionEvent(session_id=after.session_id, at=at, kind=kind, text=task.name)


def _of_kill(before: Kill | None, after: Session) -> Iterator[SessionEvent]:
    kill = after.kill
    if kill is None:
        return
    for kind, at in _steps(kill).items():
        if at and not (before and _steps(before)[kind]):
            order = (kill.reason, kill.requested_by) if kind is EventKind.KILL_REQUESTED else ()
            text, by = order or (None, None)
            yield SessionEvent(session_id=after.session_id, at=at, kind=kind, text=text, by=by)


def _steps(kill: Kill) -> dict[EventKind, datetime | None]:
    return {
        EventKind.KILL_REQUESTED: kill.requested_at,
        EventKind.KILL_DELIVERED: kill.delivered_at,
        EventKind.KILL_ACKNOWLEDGED: kill.acknowledged_at,
    }


def _process_id(session: Session) -> ProcessId | None:
    return session.process.process_id if session.process else None


def _served(session: Session) -> str | None:
    process = session.process
    return f"{process.host or '?'}:{process.pid or '?'}" if process else None
