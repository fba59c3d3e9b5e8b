"""What apps tell the monitor: sessions that begin, live, work and end."""

from uuid import UUID

from litestar import Response, delete, post, put
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from ...application.end import EndSession
from ...application.heartbeat import RecordHeartbeat
from ...application.register import RegisterSession
from ...application.report import RecordReport
from ...application.status import ReportStatus
from ...domain.ids import SessionId
from ...domain.report import Ending
from ..wire.kills import KillView
from ..wire.reports import HeartbeatsBody, HeartbeatsReply
from ..wire.sessions import Heartbeat, RegisterBody, Registered, SessionView, StatusBody
from .answers import answer
from .problems import refusals

NOT_KILLED = answer(Heartbeat(kill_requested=False, kill=None))

KNOWN = {HTTP_200_OK: ResponseSpec(Registered, description="It was registered before")}

MEBIBYTE = 1 << 20
"""Largest report of a process, in bytes."""


@post(
    "/sessions",
    tags=["apps"],
    description=RegisterSession.__doc__,
    responses=refusals(403, 409, 410, 413, 415, 503) | KNOWN,
)
async def register_session(
    data: JSONBody[RegisterBody],
    register: NamedDependency[RegisterSession],
    heartbeat_interval: NamedDependency[float],
) -> Response[Registered]:
    """Register a session."""
    registered = await register(
        data.app_name,
        user_id=data.user_id,
        session_id=data.known_id,
        process=data.serving,
        age=data.age,
    )
    session_id = registered.session.session_id
    return Response(
        Registered(session_id=session_id, heartbeat_interval=heartbeat_interval),
        status_code=HTTP_201_CREATED if registered.created else HTTP_200_OK,
        headers={"Location": f"/sessions/{session_id}"},
    )


@delete(
    "/sessions/{session_id:uuid}",
    tags=["apps"],
    description=EndSession.__doc__,
    responses=refusals(403, 404, 503),
)
async def end_session(session_id: FromPath[UUID], end: NamedDependency[EndSession]) -> None:
    """End a session."""
    await end(Ending(session_id=SessionId(session_id)))


@post(
    "/sessions/{session_id:uuid}/heartbeat",
    tags=["apps"],
    description=RecordHeartbeat.__doc__,
    status_code=HTTP_200_OK,
    responses=refusals(403, 404, 410, 413, 415, 503) | {HTTP_200_OK: ResponseSpec(Heartbeat)},
)
async def record_heartbeat(
    session_id: FromPath[UUID],
    heartbeat: NamedDependency[RecordHeartbeat],
) -> ASGIResponse:
    """Send a heartbeat."""
    receipt = await heartbeat(SessionId(session_id))
    kill = receipt.kills.get(SessionId(session_id))
    if kill is None:
        return NOT_KILLED
    return answer(Heartbeat(kill_requested=True, kill=KillView.of(kill, receipt.at)))


@put(
    "/sessions/{session_id:uuid}/status",
    tags=["apps"],
    description=ReportStatus.__doc__,
    responses=refusals(403, 404, 410, 413, 415, 503),
)
async def report_status(
    session_id: FromPath[UUID],
    data: JSONBody[StatusBody],
    doing: NamedDependency[ReportStatus],
) -> SessionView:
    """Tell what a session is doing."""
    return SessionView.of(await doing(data.activity(session_id)))


@post(
    "/heartbeats",
    tags=["apps"],
    description=RecordReport.__doc__,
    status_code=HTTP_200_OK,
    request_max_body_size=MEBIBYTE,
    responses=refusals(403, 413, 415, 503) | {HTTP_200_OK: ResponseSpec(HeartbeatsReply)},
)
async def record_report(
    data: JSONBody[HeartbeatsBody], report: NamedDependency[RecordReport]
) -> ASGIResponse:
    """Send the heartbeats and the news of a whole process."""
    return answer(HeartbeatsReply.of(await report(data.report())))


ROUTES = [register_session, end_session, record_heartbeat, report_status, record_report]
