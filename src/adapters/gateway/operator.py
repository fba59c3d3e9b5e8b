"""The server as an operator sees it: for the dashboard and the command line."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from ...application.operator_ports import OperatorError, Reached
from ...domain.ids import SessionId
from ...domain.kill import Kill
from ...domain.staleness import Observation, Status
from ..wire.kills import KillBody, KilledAllView, KillView
from ..wire.problems import Problem
from ..wire.sessions import SessionView
from .http import NONSENSE, TIMEOUT, headers, shown

T = TypeVar("T")
V = TypeVar("V")


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
        answer = await self._ask("GET", "/sessions", params=wanted)
        return self._read(
            answer, list[SessionView], lambda views: [view.observation() for view in views]
        )

    async def kill(
        self, session_id: SessionId, *, reason: str | None = None, requested_by: str | None = None
    ) -> Kill:
        """Order the end of a session (raises OperatorError)."""
        order = KillBody(reason=reason, requested_by=requested_by)
        answer = await self._ask("POST", f"/sessions/{session_id}/kill", order)
        return self._read(answer, KillView, KillView.kill)

    async def kill_all(
        self, app_name: str, *, reason: str | None = None, requested_by: str | None = None
    ) -> Reached:
        """Order the end of every session of an app that is live now (raises OperatorError)."""
        order = KillBody(reason=reason, requested_by=requested_by)
        path = f"/apps/{quote(app_name, safe='')}/kill-all"
        return self._read(await self._ask("POST", path, order), KilledAllView, _reached)

    async def close(self) -> None:
        """Close the connections."""
        if self._client:
            await self._client.aclose()

    async def _ask(self, method: str, path: str, body: object = None, **options: Any) -> bytes:
        if body is not None:
            options["content"] = msgspec.json.encode(body)
        try:
            response = await self._connected().request(method, path, **options)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            why = str(error) or type(error).__name__
            raise OperatorError(f"{shown(self.server_url)} cannot be reached: {why}") from None
        if not response.is_success:
            raise OperatorError(self._complaint(response))
        return response.content

    def _read(self, answer: bytes, kind: type[V], meaning: Callable[[V], T]) -> T:
        try:
            return meaning(msgspec.json.decode(answer, type=kind))
        except NONSENSE:
            raise OperatorError(f"{shown(self.server_url)} answers, but is no monitor") from None

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


def _reached(view: KilledAllView) -> Reached:
    return Reached(session_ids=tuple(map(SessionId, view.session_ids)))
