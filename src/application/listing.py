"""Reading sessions: one, or a page of the live list."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.errors import InvalidField
from ..domain.ids import SessionId, optional_name
from ..domain.report import known
from ..domain.staleness import Observation, StalenessPolicy, Status, status
from .ports import Clock, LiveSession, SessionQuery, SessionReader

LARGEST_PAGE = 10_000
"""Most sessions that one page may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """Which part of the live list is wanted."""

    app_name: str | None = None
    user_id: str | None = None
    status: Status | None = None
    text: str | None = None
    after: SessionId | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A part of the live list as it is `at` a moment, its sessions a few at a time.

    Those are stale that were last heard of at `stale_since` or before.
    `total` counts all that match, and `next` is where the following page starts; they are known
    only of a page.
    """

    pieces: AsyncIterator[Sequence[LiveSession]]
    at: datetime
    stale_since: datetime
    total: int | None = None
    next: SessionId | None = None

    def status(self, session: LiveSession) -> Status:
        """Tell what one of the sessions is doing."""
        return status(session.last_heartbeat, self.stale_since, session.task_started_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSessions:
    """Show the live sessions, in the order of their ids, as they are at this moment.

    All of them, or those of an app, of a user, with a status, or with `q` within the name of the
    app, the user, the task or the host, whatever its case. With `limit` a page: at most so many,
    after the session that is the `cursor`.
    """

    reader: SessionReader
    clock: Clock
    policy: StalenessPolicy

    async def __call__(self, request: ListRequest) -> Listing:
        """Return the part asked for (raises Invalid)."""
        if request.limit is not None and not 1 <= request.limit <= LARGEST_PAGE:
            raise InvalidField("limit", f"must lie between 1 and {LARGEST_PAGE}")
        if request.status is Status.ENDED:
            raise InvalidField("status", "must be one of idle, running, stale")
        now = self.clock.now()
        stale_since = self.policy.stale_since(now)
        fresh = request.status in (Status.IDLE, Status.RUNNING)
        query = SessionQuery(
            app_name=optional_name("app_name", request.app_name),
            user_id=optional_name("user_id", request.user_id),
            text=optional_name("q", request.text),
            working=request.status is Status.RUNNING if fresh else None,
            heard_after=stale_since if fresh else None,
            heard_until=stale_since if request.status is Status.STALE else None,
            after=request.after,
            limit=request.limit,
        )
        if request.limit is None:
            return Listing(pieces=self.reader.pieces(query), at=now, stale_since=stale_since)
        page = await self.reader.page(query)
        return Listing(
            pieces=_one(page.sessions),
            at=now,
            stale_since=stale_since,
            total=page.total,
            next=page.sessions[-1].session_id if page.more else None,
        )


async def _one(piece: Sequence[LiveSession]) -> AsyncIterator[Sequence[LiveSession]]:
    yield piece


@dataclass(frozen=True, slots=True, kw_only=True)
class GetSession:
    """Show one session, also an ended one that is still in the history."""

    reader: SessionReader
    clock: Clock
    policy: StalenessPolicy

    async def __call__(self, session_id: SessionId) -> Observation:
        """Return the session (raises NotFound)."""
        session = known(await self.reader.find(session_id), session_id)
        return self.policy.observe(session, self.clock.now())
