"""The values that tests begin with: valid, plain, told apart by a number."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from panel_session_monitor.domain.drain import Drain
from panel_session_monitor.domain.event import EventKind, SessionEvent
from panel_session_monitor.domain.ids import DrainId, KillId, MessageId, ProcessId, SessionId
from panel_session_monitor.domain.kill import Kill
from panel_session_monitor.domain.message import Message
from panel_session_monitor.domain.session import Process, Session
from panel_session_monitor.domain.task import Task

from .clock import NOON

MICROSECOND = timedelta(microseconds=1)


def seconds(number: float) -> timedelta:
    """Return a span."""
    return timedelta(seconds=number)


def ago(number: float) -> datetime:
    """Return the moment so many seconds before every test begins."""
    return NOON - seconds(number)


def session_id(number: int = 1) -> SessionId:
    """Return an id; ids are in the order of their numbers."""
    return SessionId(UUID(int=number))


def a_process(number: int = 1, /, **fields: Any) -> Process:
    """Return a process."""
    return replace(
        Process(process_id=ProcessId(UUID(int=number << 64)), host="node-a", pid=4711), **fields
    )


def a_task(**fields: Any) -> Task:
    """Return a task that has begun a minute ago."""
    return replace(Task(name="Loading data", started_at=ago(60), progress=0.25), **fields)


def a_kill(number: int = 1, /, **fields: Any) -> Kill:
    """Return an order that was just given."""
    return replace(Kill(kill_id=KillId(UUID(int=number << 96)), requested_at=NOON), **fields)


def a_message(number: int, session: int, /, **fields: Any) -> Message:
    """Return a message that was just sent to the session with a number."""
    plain = Message(
        message_id=MessageId(UUID(int=number << 96)),
        session_id=session_id(session),
        text="Please save your work",
        sent_at=NOON,
    )
    return replace(plain, **fields)


def an_event(
    session: int = 1, kind: EventKind = EventKind.OPENED, /, **fields: Any
) -> SessionEvent:
    """Return an event that has just happened to the session with a number."""
    plain = SessionEvent(session_id=session_id(session), at=NOON, kind=kind)
    return replace(plain, **fields)


def a_drain(app_name: str = "sales", /, **fields: Any) -> Drain:
    """Return a drain that has just begun and kills nobody."""
    plain = Drain(drain_id=DrainId(UUID(int=1 << 80)), app_name=app_name, started_at=NOON)
    return replace(plain, **fields)


def a_session(number: int = 1, /, **fields: Any) -> Session:
    """Return a live session that does nothing; it was heard of just now."""
    plain = Session(
        session_id=session_id(number),
        app_name="sales",
        started_at=ago(3600),
        last_heartbeat=NOON,
    )
    return replace(plain, **fields)
