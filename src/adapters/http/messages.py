"""Messages that operators send to pages."""

from collections.abc import Sequence
from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_202_ACCEPTED

from ...application.message import SendMessage
from ...domain.ids import SessionId
from ...domain.message import Message
from ..wire.messages import MessageBody, SentView
from .paths import name_in
from .problems import refusals


@post(
    "/sessions/{session_id:uuid}/messages",
    tags=["operators"],
    description=SendMessage.__doc__,
    status_code=HTTP_202_ACCEPTED,
    responses=refusals(403, 404, 410, 413, 415, 503),
)
async def send_to_session(
    session_id: FromPath[UUID], data: JSONBody[MessageBody], send: NamedDependency[SendMessage]
) -> SentView:
    """Send a message to a session."""
    messages = await send(data.text, session_id=SessionId(session_id), sent_by=data.sent_by)
    sent = _sent(messages)
    sent.message_id = messages[0].message_id
    return sent


@post(
    "/apps/{app_name:str}/messages",
    tags=["operators"],
    description=SendMessage.__doc__,
    status_code=HTTP_202_ACCEPTED,
    responses=refusals(403, 413, 415, 503),
)
async def send_to_app(
    app_name: FromPath[str], data: JSONBody[MessageBody], send: NamedDependency[SendMessage]
) -> SentView:
    """Send a message to all sessions of an app."""
    return _sent(await send(data.text, app_name=name_in(app_name), sent_by=data.sent_by))


@post(
    "/messages",
    tags=["operators"],
    description=SendMessage.__doc__,
    status_code=HTTP_202_ACCEPTED,
    responses=refusals(403, 413, 415, 503),
)
async def send_to_all(data: JSONBody[MessageBody], send: NamedDependency[SendMessage]) -> SentView:
    """Send a message to all sessions."""
    return _sent(await send(data.text, sent_by=data.sent_by))


def _sent(messages: Sequence[Message]) -> SentView:
    return SentView(sent=len(messages), session_ids=[each.session_id for each in messages])


ROUTES = [send_to_session, send_to_app, send_to_all]
