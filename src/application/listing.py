"""Reading sessions: one, or a page of the live list."""

from collections.abc import Sequence
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
    after: SessionId | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of the live list as it is `at` a moment; `next` is where the following page starts.

    There may be very many sessions: each is judged when it is needed.
    """

    sessions: Sequence[LiveSession]
    at: datetime
    stale_since: datetime
    total: int
    next: SessionId | None

    def status(self, session: LiveSession) -> Status:
        """Tell what one of the sessions is doing."""
        working = session.task_started_at is not None
        return status(session.last_heartbeat, working=working, stale_since=self.stale_since)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSessions:
    """Show the live sessions, in the order of their ids, as they are at this moment."""

    reader: SessionReader
    clock: Clock
    policy: StalenessPolicy

    async def __call__(self, request: ListRequest) -> Listing:
        """Return the page asked for (raises Invalid)."""
        if request.limit is not None and not 1 <= request.limit <= LARGEST_PAGE:
            raise InvalidField("limit", f"must lie between 1 and {LARGEST_PAGE}")
        if request.status is Status.ENDED:
            raise InvalidField("status", "must be one of idle, running, stale")
        now = self.clock.now()
        stale_since = self.policy.stale_since(now)
        fresh = request.status in (Status.IDLE, Status.RUNNING)
        page = await self.reader.page(
            SessionQuery(
                app_name=optional_name("app_name", request.app_name),
                user_id=optional_name("user_id", request.user_id),
                working=request.status is Status.RUNNING if fresh else None,
                heard_after=stale_since if fresh else None,
                heard_until=stale_since if request.status is Status.STALE else None,
                after=request.after,
                limit=request.limit,
            )
        )
        return Listing(
            sessions=page.sessions,
            at=now,
            stale_since=stale_since,
            total=page.total,
            next=page.sessions[-1].session_id if page.more else None,
        )


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
