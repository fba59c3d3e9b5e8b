"""The server as an operator sees it: for the dashboard and the command line."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from ...application.operator_ports import Look, OperatorError, Reached
from ...application.ports import LiveApp
from ...application.processes import Processes
from ...domain.change import Change
from ...domain.drain import Drain
from ...domain.event import SessionEvent
from ...domain.ids import SessionId
from ...domain.kill import Kill
from ...domain.staleness import Observation, Status
from ..wire.apps import AppView
from ..wire.drains import DrainBody, DrainView
from ..wire.events import SessionEventView
from ..wire.kills import KillBody, KilledAllView, KillManyBody, KillView
from ..wire.messages import MessageBody, SentView
from ..wire.problems import Problem
from ..wire.processes import ProcessView
from ..wire.sessions import SessionView
from .changes import read_changes
from .http import NONSENSE, PATIENCE, TIMEOUT, headers, shown

T = TypeVar("T")
V = TypeVar("V")

SILENCE = 45.0
"""Longest silence borne of the changes, in seconds: the server gives three signs of life in it."""

PIECE = 250
"""Sessions of a long list that are read before others have their turn: some milliseconds."""

UNBOUNDED = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
"""Headers of the request for changes."""


@dataclass(slots=True)
class HttpOperator:
    """Looks and orders over HTTP, on one connection pool; `transport` is for tests."""

    server_url: str
    token: str | None = None
    transport: httpx.AsyncBaseTransport | None = None
    _client: httpx.AsyncClient | None = field(default=None, repr=False)

    async def sessions(
        self,
        *,
        app_name: str | None = None,
        status: Status | None = None,
        user_id: str | None = None,
    ) -> list[Observation]:
        """Return all live sessions that match (raises OperatorError)."""
        query = {"app_name": app_name, "status": status, "user_id": user_id}
        wanted = {name: value for name, value in query.items() if value is not None}
        return await self._observed(await self._ask("GET", "/sessions", params=wanted))

    async def look(self) -> Look:
        """Return the live list, and from where to follow it (raises OperatorError)."""
        listed = await self._ask("GET", "/sessions")
        # Read after the list: the changes that follow may bring a drain again, and miss none.
        drains = await self._ask("GET", "/drains")
        return Look(
            sessions=await self._observed(listed),
            drains=self._read(drains, list[DrainView], lambda views: [v.drain() for v in views]),
            at=self._as_of(listed),
            position=listed.headers.get("last-event-id", ""),
        )

    async def changes(self, position: str) -> AsyncIterator[Change | None]:
        """Yield the changes after a position, as they come (raises OperatorError)."""
        with self._understood():
            async with self._connected().stream(
                "GET",
                "/events",
                headers=UNBOUNDED | {"Last-Event-ID": position},
                timeout=httpx.Timeout(PATIENCE, read=SILENCE),
            ) as response:
                if not response.is_success:
                    await response.aread()
                    raise OperatorError(self._complaint(response))
                yield None
                async for change in read_changes(response):
                    yield change
        raise OperatorError(f"{shown(self.server_url)} has ended the stream of changes")

    async def session(self, session_id: SessionId) -> Observation:
        """Return a session, live or still in the history (raises OperatorError)."""
        answer = await self._ask("GET", f"/sessions/{session_id}")
        return self._read(answer, SessionView, SessionView.observation)

    async def events(self, session_id: SessionId) -> list[SessionEvent]:
        """Return what has happened in a session's life, in order (raises OperatorError)."""
        answer = await self._ask("GET", f"/sessions/{session_id}/events")
        return self._read(answer, list[SessionEventView], lambda views: [v.event() for v in views])

    async def apps(self) -> list[LiveApp]:
        """Return the apps that have live sessions or are drained (raises OperatorError)."""
        answer = await self._ask("GET", "/apps")
        return self._read(answer, list[AppView], lambda views: [v.app() for v in views])

    async def processes(self) -> Processes:
        """Return the processes that serve sessions, or did so lately (raises OperatorError)."""
        answer = await self._ask("GET", "/processes")
        seen = self._read(answer, list[ProcessView], lambda views: [v.process() for v in views])
        return Processes(processes=seen, at=self._as_of(answer))

    async def kill(
        self, session_id: SessionId, *, reason: str | None = None, requested_by: str | None = None
    ) -> Kill:
        """Order the end of a session (raises OperatorError)."""
        order = KillBody(reason=reason, requested_by=requested_by)
        answer = await self._ask("POST", f"/sessions/{session_id}/kill", order)
        return self._read(answer, KillView, KillView.kill)

    async def kill_many(
        self,
        session_ids: Collection[SessionId],
        *,
        reason: str | None = None,
        requested_by: str | None = None,
    ) -> Reached:
        """Order the end of those of the sessions that are live (raises OperatorError)."""
        order = KillManyBody(
            session_ids=list(session_ids), reason=reason, requested_by=requested_by
        )
        answer = await self._ask("POST", "/sessions/kill", order)
        return self._read(answer, KilledAllView, _reached)

    async def kill_all(
        self, app_name: str, *, reason: str | None = None, requested_by: str | None = None
    ) -> Reached:
        """Order the end of every session of an app that is live now (raises OperatorError)."""
        order = KillBody(reason=reason, requested_by=requested_by)
        answer = await self._ask("POST", f"{_app(app_name)}/kill-all", order)
        return self._read(answer, KilledAllView, _reached)

    async def send(
        self,
        text: str,
        *,
        session_id: SessionId | None = None,
        app_name: str | None = None,
        sent_by: str | None = None,
    ) -> Reached:
        """Show a text in the page of a session, of an app, or in all (raises OperatorError)."""
        of_app = "" if app_name is None else _app(app_name)
        whose = f"/sessions/{session_id}" if session_id else of_app
        message = MessageBody(text=text, sent_by=sent_by)
        answer = await self._ask("POST", f"{whose}/messages", message)
        return self._read(answer, SentView, _reached)

    async def drain(
        self,
        app_name: str,
        *,
        kill_after: float | None = None,
        reason: str | None = None,
        requested_by: str | None = None,
    ) -> Drain:
        """Drain an app, on these terms (raises OperatorError)."""
        if kill_after is not None and not isfinite(kill_after):  # in JSON it would be null: never
            raise OperatorError("kill_after: must be a number of seconds")
        terms = DrainBody(kill_after=kill_after, reason=reason, requested_by=requested_by)
        answer = await self._ask("PUT", f"{_app(app_name)}/drain", terms)
        return self._read(answer, DrainView, DrainView.drain)

    async def undrain(self, app_name: str) -> None:
        """Take the drain of an app back (raises OperatorError)."""
        await self._ask("DELETE", f"{_app(app_name)}/drain")

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.aclose()

    async def _ask(
        self, method: str, path: str, body: object = None, **options: Any
    ) -> httpx.Response:
        if body is not None:
            options["content"] = msgspec.json.encode(body)
        with self._understood():
            response = await self._connected().request(method, path, **options)
        if not response.is_success:
            raise OperatorError(self._complaint(response))
        return response

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Make of every failure an OperatorError, told in a line."""
        try:
            yield
        except httpx.ReadTimeout:
            raise OperatorError(f"{shown(self.server_url)} has gone silent") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            why = str(error) or type(error).__name__
            raise OperatorError(f"{shown(self.server_url)} cannot be reached: {why}") from None
        except NONSENSE:
            raise OperatorError(f"{shown(self.server_url)} answers, but is no monitor") from None

    async def _observed(self, answer: httpx.Response) -> list[Observation]:
        """Read a list of sessions; it may be long, and others have their turn meanwhile."""
        views = self._read(answer, list[SessionView], list)
        seen: list[Observation] = []
        with self._understood():
            for start in range(0, len(views), PIECE):
                seen += [view.observation() for view in views[start : start + PIECE]]
                await asyncio.sleep(0)
        return seen

    def _as_of(self, answer: httpx.Response) -> datetime:
        with self._understood():
            return msgspec.convert(answer.headers.get("as-of"), datetime)

    def _read(self, answer: httpx.Response, kind: type[V], meaning: Callable[[V], T]) -> T:
        with self._understood():
            return meaning(msgspec.json.decode(answer.content, type=kind))

    def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=self.server_url,
                headers=headers(self.token),
                timeout=TIMEOUT,
                transport=self.transport,
            )
        return self._client

    def _complaint(self, response: httpx.Response) -> str:
        try:
            return msgspec.json.decode(response.content, type=Problem).detail
        except NONSENSE:
            return f"{shown(self.server_url)} answers {response.status_code}"


def _app(name: str) -> str:
    return f"/apps/{quote(name, safe='')}"


def _reached(view: KilledAllView | SentView) -> Reached:
    return Reached(session_ids=tuple(map(SessionId, view.session_ids)))
