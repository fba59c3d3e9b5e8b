"""Sessions as rows, and rows as sessions."""

from typing import Any

from sqlalchemy import Column, Row, Table

from ...domain.ids import KillId, ProcessId, SessionId
from ...domain.kill import Kill
from ...domain.session import End, EndReason, Process, Session
from ...domain.task import Task


def as_row(session: Session) -> dict[str, Any]:
    """Return the columns of a session; an ended one has two more."""
    task, kill = session.task, session.kill
    row = {
        "session_id": session.session_id,
        "app_name": session.app_name,
        "user_id": session.user_id,
        "process_id": session.process.process_id if session.process else None,
        "started_at": session.started_at,
        "last_heartbeat": session.last_heartbeat,
        "task": task.name if task else None,
        "task_started_at": task.started_at if task else None,
        "task_progress": task.progress if task else None,
        "kill_id": kill.kill_id if kill else None,
        "kill_reason": kill.reason if kill else None,
        "kill_requested_by": kill.requested_by if kill else None,
        "kill_requested_at": kill.requested_at if kill else None,
        "kill_delivered_at": kill.delivered_at if kill else None,
        "kill_acknowledged_at": kill.acknowledged_at if kill else None,
        "kill_ended_at": kill.ended_at if kill else None,
        "kill_expired_at": kill.expired_at if kill else None,
    }
    if session.end:
        row |= {"ended_at": session.end.at, "end_reason": session.end.reason.value}
    return row


def as_session(row: Row[Any], *, ended: bool = False) -> Session:
    """Return the session of a row that was joined with its process."""
    return Session(
        session_id=SessionId(row.session_id),
        app_name=row.app_name,
        user_id=row.user_id,
        process=_process(row) if row.process_id else None,
        started_at=row.started_at,
        last_heartbeat=row.last_heartbeat,
        task=_task(row) if row.task_started_at else None,
        kill=as_kill(row),
        end=End(at=row.ended_at, reason=EndReason(row.end_reason)) if ended else None,
    )


def kill_columns(table: Table) -> list[Column[Any]]:
    """Return the columns of a session's kill."""
    return [column for column in table.c if column.name.startswith("kill_")]


def as_kill(row: Row[Any]) -> Kill | None:
    """Return the kill of a row, if one was ordered."""
    if row.kill_id is None:
        return None
    return Kill(
        kill_id=KillId(row.kill_id),
        reason=row.kill_reason,
        requested_by=row.kill_requested_by,
        requested_at=row.kill_requested_at,
        delivered_at=row.kill_delivered_at,
        acknowledged_at=row.kill_acknowledged_at,
        ended_at=row.kill_ended_at,
        expired_at=row.kill_expired_at,
    )


def _process(row: Row[Any]) -> Process:
    return Process(process_id=ProcessId(row.process_id), host=row.host, pid=row.pid)


def _task(row: Row[Any]) -> Task:
    return Task(name=row.task, started_at=row.task_started_at, progress=row.task_progress)
