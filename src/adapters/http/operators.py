"""What operators see and order."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from ...application.apps import ListApps
from ...application.kill import RequestKill, RequestKillAll, RequestKillMany
from ...application.life import ListEvents
from ...application.listing import GetSession, Listing, ListRequest, ListSessions
from ...application.processes import ListProcesses
from ...application.sweep import RemoveStale
from ...domain.ids import SessionId
from ...domain.staleness import Status
from ..wire.apps import AppView
from ..wire.events import SessionEventView
from ..wire.kills import KillBody, KilledAllView, KillManyBody, KillView
from ..wire.processes import ProcessView
from ..wire.sessions import Deleted, SessionView
from .answers import PIECE, ListAnswer
from .paths import name_in
from .problems import refusals
from .streams import ChangeStreams

NO_REASON = KillBody()

MEBIBYTE = 1 << 20
"""Largest list of sessions to be ended, in bytes."""


@get(
    "/sessions",
    tags=["operators"],
    description=ListSessions.__doc__,
    responses=refusals() | {HTTP_200_OK: ResponseSpec(list[SessionView])},
)
async def list_sessions(
    listing: NamedDependency[ListSessions],
    change_streams: NamedDependency[ChangeStreams],
    app_name: FromQuery[str | None] = None,
    status: FromQuery[Status | None] = None,
    user_id: FromQuery[str | None] = None,
    q: FromQuery[str | None] = None,
    limit: FromQuery[int | None] = None,
    cursor: FromQuery[UUID | None] = None,
) -> ASGIResponse:
    """List the live sessions; `Last-Event-ID` is where the change feed goes on from here."""
    position = change_streams.feed.position()
    page = await listing(
        ListRequest(
            app_name=app_name,
            user_id=user_id,
            status=status,
            text=q,
            limit=limit,
            after=SessionId(cursor) if cursor else None,
        )
    )
    query = {"app_name": app_name, "status": status, "user_id": user_id, "q": q, "limit": limit}
    headers = _paging(page, query) | as_of(page.at) | {"Last-Event-ID": position}
    return ListAnswer(_views(page), headers)


async def _views(page: Listing) -> AsyncIterator[list[SessionView]]:
    async for piece in page.pieces:
        for start in range(0, len(piece), PIECE):
            some = piece[start : start + PIECE]
            yield [SessionView.listed(each, page.status(each), page.at) for each in some]
            await asyncio.sleep(0)  # others have their turn


@get(
    "/sessions/{session_id:uuid}",
    tags=["operators"],
    description=GetSession.__doc__,
    responses=refusals(404),
)
async def get_session(session_id: FromPath[UUID], find: NamedDependency[GetSession]) -> SessionView:
    """Show one session."""
    return SessionView.of(await find(SessionId(session_id)))


@get(
    "/sessions/{session_id:uuid}/events",
    tags=["operators"],
    description=ListEvents.__doc__,
    responses=refusals(404),
)
async def list_events(
    session_id: FromPath[UUID], events: NamedDependency[ListEvents]
) -> list[SessionEventView]:
    """List what has happened in a session's life."""
    return [SessionEventView.of(each) for each in await events(SessionId(session_id))]


@get("/apps", tags=["operators"], description=ListApps.__doc__, responses=refusals())
async def list_apps(app_list: NamedDependency[ListApps]) -> list[AppView]:
    """List the apps."""
    return [AppView.of(each) for each in await app_list()]


@get("/processes", tags=["operators"], description=ListProcesses.__doc__, responses=refusals())
async def list_processes(
    processes: NamedDependency[ListProcesses],
) -> Response[list[ProcessView]]:
    """List the processes that serve sessions."""
    seen = await processes()
    views = [ProcessView.of(each, seen.at) for each in seen.processes]
    return Response(views, headers=as_of(seen.at))


@post(
    "/sessions/{session_id:uuid}/kill",
    tags=["operators"],
    description=RequestKill.__doc__,
    status_code=HTTP_202_ACCEPTED,
    responses=refusals(403, 404, 410, 413, 415, 503),
)
async def kill_session(
    session_id: FromPath[UUID],
    kill: NamedDependency[RequestKill],
    data: JSONBody[KillBody | None] = None,
) -> KillView:
    """Order the end of a session."""
    order = data or NO_REASON
    seen = await kill(SessionId(session_id), reason=order.reason, requested_by=order.requested_by)
    assert seen.session.kill, "a kill that was ordered is there"
    return KillView.of(seen.session.kill, seen.at)


@post(
    "/apps/{app_name:str}/kill-all",
    tags=["operators"],
    description=RequestKillAll.__doc__,
    status_code=HTTP_202_ACCEPTED,
    responses=refusals(403, 413, 415, 503),
)
async def kill_all(
    app_name: FromPath[str],
    kill_app: NamedDependency[RequestKillAll],
    data: JSONBody[KillBody | None] = None,
) -> KilledAllView:
    """Order the end of all sessions of an app."""
    order, name = data or NO_REASON, name_in(app_name)
    reached = await kill_app(name, reason=order.reason, requested_by=order.requested_by)
    return KilledAllView.of(reached)


@post(
    "/sessions/kill",
    tags=["operators"],
    description=RequestKillMany.__doc__,
    status_code=HTTP_202_ACCEPTED,
    request_max_body_size=MEBIBYTE,
    responses=refusals(403, 413, 415, 503),
)
async def kill_several(
    data: JSONBody[KillManyBody], kill_many: NamedDependency[RequestKillMany]
) -> KilledAllView:
    """Order the end of several sessions."""
    ids = [SessionId(each) for each in data.session_ids]
    return KilledAllView.of(
        await kill_many(ids, reason=data.reason, requested_by=data.requested_by)
    )


@delete(
    "/sessions/stale",
    tags=["operators"],
    description=RemoveStale.__doc__,
    status_code=HTTP_200_OK,
    responses=refusals(403, 503),
)
async def delete_stale(
    remove_stale: NamedDependency[RemoveStale],
    older_than: Annotated[float | None, QueryParameter(ge=0, le=10**9)] = None,
) -> Deleted:
    """Give up silent sessions at once; `older_than` is their silence in seconds."""
    silence = None if older_than is None else timedelta(seconds=older_than)
    return Deleted(deleted=await remove_stale(silence))


def as_of(moment: datetime) -> dict[str, str]:
    """Tell what moment an answer is as of, by this server's clock."""
    return {"As-Of": moment.isoformat()}


def _paging(listing: Listing, query: dict[str, str | int | None]) -> dict[str, str]:
    """Tell how many there are, and where the next page is (RFC 8288)."""
    if query["limit"] is None:
        return {}
    headers = {"X-Total-Count": str(listing.total)}
    if listing.next:
        following = {name: value for name, value in query.items() if value is not None}
        target = urlencode(following | {"cursor": str(listing.next)})
        headers["Link"] = f'</sessions?{target}>; rel="next"'
    return headers


ROUTES = [
    list_sessions,
    get_session,
    list_events,
    list_apps,
    list_processes,
    kill_session,
    kill_several,
    kill_all,
    delete_stale,
]
