"""The API as one ASGI application."""

import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields
from functools import partial
from typing import Any
from urllib.parse import unquote

from litestar import Litestar
from litestar.di import Provide

from ...application.apps import ListApps
from ...application.drain import DrainApp, ListDrains, UndrainApp
from ...application.end import EndSession
from ...application.health import CheckReadiness
from ...application.heartbeat import RecordHeartbeat
from ...application.kill import RequestKill, RequestKillAll, RequestKillMany
from ...application.life import ListEvents
from ...application.listing import GetSession, ListSessions
from ...application.message import SendMessage
from ...application.ports import CannotStart
from ...application.processes import ListProcesses
from ...application.register import RegisterSession
from ...application.report import RecordReport
from ...application.status import ReportStatus
from ...application.sweep import RemoveStale
from . import apps, drains, health, messages, operators, streams
from .answers import answer
from .documentation import assets, openapi
from .guards import refusal
from .paths import SLASH_IN_NAME
from .problems import HANDLERS, MEDIA_TYPE
from .streams import ChangeStreams, OrderStreams

KIBIBYTE = 1 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """What the routes are given, by the names they ask for."""

    register: RegisterSession
    heartbeat: RecordHeartbeat
    doing: ReportStatus
    report: RecordReport
    end: EndSession
    kill: RequestKill
    kill_many: RequestKillMany
    kill_app: RequestKillAll
    send: SendMessage
    drain: DrainApp
    undrain: UndrainApp
    drains: ListDrains
    remove_stale: RemoveStale
    listing: ListSessions
    find: GetSession
    events: ListEvents
    app_list: ListApps
    processes: ListProcesses
    order_streams: OrderStreams
    change_streams: ChangeStreams
    readiness: CheckReadiness
    heartbeat_interval: float


class Api(Litestar):
    """Litestar, except for what it does not foresee.

    What no route should look at is turned away. A slash within an app's name stays within it: an
    escaped one travels to the route as a character that no name can hold. And what keeps the
    service from starting is told in a line.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection, or the application's life."""
        if scope["type"] == "lifespan":
            await super().__call__(scope, receive, partial(_told_in_a_line, send))
            return
        method = scope.get("method", "GET")
        if turned_away := refusal(method, dict(scope["headers"])):
            await answer(turned_away, turned_away.status, MEDIA_TYPE)(scope, receive, send)
            return
        if b"%2f" in scope.get("raw_path", b"").lower():
            segments = scope["raw_path"].decode("ascii").split("/")
            path = "/".join(unquote(each).replace("/", SLASH_IN_NAME) for each in segments)
            scope = {**scope, "path": path}
        await super().__call__(scope, receive, send)


def create_app(
    use_cases: UseCases,
    *,
    version: str,
    lifespan: Callable[[Litestar], AbstractAsyncContextManager[None]],
) -> Litestar:
    """Return the API, which runs within `lifespan`."""
    return Api(
        route_handlers=[
            *apps.ROUTES,
            *operators.ROUTES,
            *messages.ROUTES,
            *drains.ROUTES,
            *streams.ROUTES,
            *health.ROUTES,
            assets(),
        ],
        dependencies={
            each.name: _provide(getattr(use_cases, each.name), each.type)
            for each in fields(use_cases)
        },
        exception_handlers=HANDLERS,
        lifespan=[lifespan],
        openapi_config=openapi(version),
        request_max_body_size=64 * KIBIBYTE,
    )


def _provide(value: object, kind: Any) -> Provide:
    def given() -> Any:
        return value

    given.__annotations__["return"] = kind
    return Provide(given, sync_to_thread=False)


async def _told_in_a_line(send: Any, message: Any) -> None:
    if why := _cannot_start(sys.exc_info()[1]):
        message |= {"message": str(why)}
    await send(message)


def _cannot_start(error: BaseException | None) -> CannotStart | None:
    """Find the refusal to start, which Litestar's task groups wrap."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error if isinstance(error, CannotStart) else None
