"""Every port of the core: what the use cases need of the world, named by role."""

from collections.abc import Callable, Collection, Coroutine, Hashable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from ..domain.ids import SessionId
from ..domain.kill import Kill
from ..domain.report import Reply, Report
from ..domain.session import Process, Session
from ..domain.staleness import Observation, Status


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the current time, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that only ever grow, for measuring spans."""


class Ids(Protocol):
    """New identifiers."""

    def new(self) -> UUID:
        """Return a UUID that nothing else has, in the order of time."""


# The service's side ------------------------------------------------------------------------


class SessionRepository(Protocol):
    """The sessions within one transaction, live and ended."""

    async def get(self, session_ids: Collection[SessionId]) -> dict[SessionId, Session]:
        """Return those of the sessions that are known, whether live or ended."""

    async def live_of(self, app_name: str) -> list[Session]:
        """Return all live sessions of an app."""

    async def silent_since(self, moment: datetime) -> list[Session]:
        """Return the live sessions last heard of at `moment` or before."""

    async def save(self, sessions: Iterable[Session]) -> None:
        """Store the snapshots; one that has ended leaves the live list for the history."""

    async def beat(
        self, process: Process, session_ids: Collection[SessionId], now: datetime
    ) -> Mapping[SessionId, Kill | None]:
        """Store a heartbeat of the process and of those live sessions that it may speak for.

        Returns just these, each with its kill if one was ordered.
        """

    async def forget_ended(self, before: datetime) -> int:
        """Delete from the history what ended before; return how many sessions."""


class UnitOfWork(Protocol):
    """Opens a transaction: committed when the block ends, rolled back when it raises."""

    def __call__(self) -> AbstractAsyncContextManager[SessionRepository]:
        """Return the block's context manager, which gives the repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQuery:
    """Which live sessions to read: every criterion that is set must hold."""

    app_name: str | None = None
    user_id: str | None = None
    working: bool | None = None
    heard_after: datetime | None = None
    heard_until: datetime | None = None
    after: SessionId | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPage:
    """Sessions in the order of their ids; `total` counts all pages, `more` says one follows."""

    sessions: tuple[Session, ...]
    total: int
    more: bool


class SessionReader(Protocol):
    """Reads sessions outside any transaction."""

    async def find(self, session_id: SessionId) -> Session | None:
        """Return the session, live or ended."""

    async def page(self, query: SessionQuery) -> SessionPage:
        """Return a page of the live sessions."""


class CannotStart(Exception):
    """The service must not start: one line for a person to read."""


class Readiness(Protocol):
    """Whether the service can do its work."""

    async def check(self) -> str | None:
        """Return None, or in one line what is missing."""


# The app's side ----------------------------------------------------------------------------


class MonitorUnavailable(Exception):
    """The monitor did not take a report; `retry_after` seconds if it asked for a pause."""

    def __init__(self, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Monitor(Protocol):
    """The server as a tracked app sees it."""

    def report(self, report: Report) -> Reply:
        """Deliver a report and return what came back; blocks (raises MonitorUnavailable)."""


class SessionHost(Protocol):
    """The web framework under one session."""

    def end(self, reason: str) -> None:
        """Close the session's page and destroy the session; returns at once, from any thread."""

    def run(self, work: Coroutine[Any, Any, object]) -> Callable[[float], None]:
        """Start `work` where the session's asynchronous code runs.

        Returns a function that waits for it, for so many seconds (raises what `work` raised).
        """

    def release(self) -> None:
        """Take note that the app's callbacks have run, and its code is needed no more."""


class BrowserSession(SessionHost, Protocol):
    """A host whose session comes and goes by itself."""

    @property
    def key(self) -> Hashable:
        """Tells the session from every other one of this process."""

    def on_over(self, callback: Callable[[], None]) -> None:
        """Call back, once, when the session is over; the callback must not wait."""


# The operator's side -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class KilledAll:
    """The sessions that an order to end a whole app has reached."""

    session_ids: tuple[SessionId, ...]


class OperatorError(Exception):
    """The server refused or could not be reached: one line for a person to read."""


class Operator(Protocol):
    """The server as an operator sees it; every method raises OperatorError."""

    async def sessions(
        self,
        *,
        app_name: str | None = None,
        status: Status | None = None,
        user_id: str | None = None,
    ) -> list[Observation]:
        """Return all live sessions that match."""

    async def kill(
        self, session_id: SessionId, *, reason: str | None = None, requested_by: str | None = None
    ) -> Kill:
        """Order the end of a session; ordered again, the first order stands."""

    async def kill_all(
        self, app_name: str, *, reason: str | None = None, requested_by: str | None = None
    ) -> KilledAll:
        """Order the end of every session of an app that is live now."""
