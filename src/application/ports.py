"""The ports of the service: what its use cases need, named by role."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol, Self

from ..domain.change import Change
from ..domain.drain import Drain
from ..domain.event import SessionEvent
from ..domain.ids import MessageId, ProcessId, SessionId
from ..domain.kill import Kill
from ..domain.message import Message
from ..domain.report import Figures, Notice, Order
from ..domain.session import Process, Session
from .clock import Clock as Clock  # noqa: PLC0414  # every use case finds its ports here
from .clock import Ids as Ids  # noqa: PLC0414  # as above


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Heartbeats that came together: of a process, if one speaks, and of sessions."""

    process: Process | None
    session_ids: tuple[SessionId, ...]
    figures: Figures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beaten:
    """What became of a beat.

    absent   its ids that are no live sessions, or not this process's
    kills    the kills that were ordered, of all the others
    whole    whether the others are all live sessions that the process has
    messages what is on its way to the pages of the process
    drains   all that stand, if a process speaks
    """

    absent: tuple[SessionId, ...] = ()
    kills: Mapping[SessionId, Kill] = field(default_factory=dict)
    whole: bool = False
    messages: Sequence[Message] = ()
    drains: Sequence[Drain] = ()


class SessionRepository(Protocol):
    """The sessions within one transaction, live and ended, and what they are to be told."""

    async def get(self, session_ids: Collection[SessionId]) -> dict[SessionId, Session]:
        """Return those of the sessions that are known, whether live or ended."""

    async def live_of(self, app_name: str | None) -> list[Session]:
        """Return all live sessions of an app; None: of every app."""

    async def silent_since(self, moment: datetime) -> list[Session]:
        """Return the live sessions last heard of at `moment` or before."""

    async def save(self, sessions: Iterable[Session]) -> None:
        """Store the snapshots; one that has ended leaves the live list for the history."""

    async def beat(self, beats: Sequence[Beat], now: datetime) -> list[Beaten]:
        """Store heartbeats: of each process, and of those live sessions that it may speak for.

        Returns what became of each.
        """

    async def forget_ended(self, before: datetime) -> int:
        """Delete from the history what ended before; return how many sessions."""

    async def note(self, events: Sequence[SessionEvent]) -> None:
        """Store events in their order; of MOST_EVENTS of a session the oldest go, tasks first."""

    async def send(self, messages: Sequence[Message]) -> set[ProcessId]:
        """Store messages until they are shown or their sessions end; return whose they are."""

    async def shown(self, message_ids: Collection[MessageId]) -> list[Message]:
        """Delete messages that have reached their pages; return those that were on their way."""

    async def drains(self) -> list[Drain]:
        """Return the drains that stand, in the order of the apps' names."""

    async def drain(self, drain: Drain) -> set[ProcessId]:
        """Store the drain of an app, instead of a former one; return who serves the app."""

    async def undrain(self, app_name: str) -> set[ProcessId]:
        """Delete the drain of an app; return who serves the app."""


class UnitOfWork(Protocol):
    """Opens a transaction: committed when the block ends, rolled back when it raises."""

    def __call__(self) -> AbstractAsyncContextManager[SessionRepository]:
        """Return the block's context manager, which gives the repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQuery:
    """Which live sessions to read: every criterion that is set must hold.

    `text` is found within the app's, the user's, the task's or the host's name, whatever its case.
    """

    app_name: str | None = None
    user_id: str | None = None
    text: str | None = None
    working: bool | None = None
    heard_after: datetime | None = None
    heard_until: datetime | None = None
    after: SessionId | None = None
    limit: int | None = None


class LiveSession(NamedTuple):
    """A live session as a list shows it: flat, because there are many."""

    session_id: SessionId
    app_name: str
    user_id: str | None
    process_id: ProcessId | None
    host: str | None
    pid: int | None
    task: str | None
    progress: float | None
    started_at: datetime
    last_heartbeat: datetime
    task_started_at: datetime | None
    kill: Kill | None

    @classmethod
    def of(cls, session: Session) -> Self:
        """Return a session in this form."""
        process, task = session.process, session.task
        return cls(
            session_id=session.session_id,
            app_name=session.app_name,
            user_id=session.user_id,
            process_id=process.process_id if process else None,
            host=process.host if process else None,
            pid=process.pid if process else None,
            started_at=session.started_at,
            last_heartbeat=session.last_heartbeat,
            task=task.name if task else None,
            task_started_at=task.started_at if task else None,
            progress=task.progress if task else None,
            kill=session.kill,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveProcess:
    """A process with what it last told of itself, and how many live sessions it has."""

    process: Process
    started_at: datetime
    last_heartbeat: datetime
    sessions: int
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveApp:
    """An app with its live sessions, by what they do, and how many users they are of."""

    app_name: str
    sessions: int = 0
    idle: int = 0
    running: int = 0
    stale: int = 0
    users: int = 0
    drain: Drain | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPage:
    """Sessions in the order of their ids; `total` counts all pages, `more` says one follows."""

    sessions: Sequence[LiveSession]
    total: int
    more: bool


class SessionReader(Protocol):
    """Reads sessions outside any transaction."""

    async def find(self, session_id: SessionId) -> Session | None:
        """Return the session, live or ended."""

    async def page(self, query: SessionQuery) -> SessionPage:
        """Return a page of the live sessions, as of one moment."""

    def pieces(self, query: SessionQuery) -> AsyncIterator[Sequence[LiveSession]]:
        """Give all matching sessions in the order of their ids, a few at a time, without a limit.

        Each piece is as of its own moment: no transaction waits for whoever takes them.
        """

    async def apps(self, stale_since: datetime) -> list[LiveApp]:
        """Return the apps that have live sessions, in the order of their names, without drains.

        Those sessions are stale that were last heard of at `stale_since` or before.
        """

    async def processes(self, heard_after: datetime) -> list[LiveProcess]:
        """Return the processes that have live sessions or were heard of after a moment."""

    async def events(self, session_id: SessionId) -> list[SessionEvent]:
        """Return what has happened to a session, in the order in which it was noted."""

    async def orders(self, process_id: ProcessId) -> list[Order | Notice]:
        """Return what a process has not reported as delivered or shown, in the order of ids."""

    async def drains(self) -> list[Drain]:
        """Return the drains that stand, in the order of the apps' names."""

    async def overstaying(self, now: datetime) -> list[SessionId]:
        """Return the live sessions that a drain is to end by now, and nobody has ordered killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A change in the feed; without a change, the reader has missed some and must look anew."""

    position: str
    change: Change | None


class ChangeFeed(Protocol):
    """The changes of the live list, in the order in which they were stored.

    A position is a place between two of them. Only so many of the latest are kept, however slow
    a reader is.
    """

    def publish(self, changes: Sequence[Change]) -> None:
        """Add changes that are stored; never waits."""

    def position(self) -> str:
        """Return the place after the last change."""

    async def after(self, position: str) -> Sequence[Event]:
        """Return what came after a position, or wait until something does.

        A position that is not known here, or whose successors are no longer kept, gives one event
        without a change, from which to go on. Nothing at all means that the feed is closed.
        """


class Listener(Protocol):
    """One who listens for a process's orders."""

    async def poked(self) -> bool:
        """Wait for the next poke since the last call; False if the channel is closed."""


class KillChannel(Protocol):
    """Wakes the streams that carry orders to the processes; the orders are in the store."""

    def poke(self, process_ids: Collection[ProcessId]) -> None:
        """Say that there may be an order for these processes; never waits."""

    def listen(self, process_id: ProcessId) -> AbstractContextManager[Listener]:
        """Listen for a process while the block lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The sessions that an order or a message has reached."""

    session_ids: tuple[SessionId, ...]


class CannotStart(Exception):
    """The service must not start: one line for a person to read."""


class Readiness(Protocol):
    """Whether the service can do its work."""

    async def check(self) -> str | None:
        """Return None, or in one line what is missing."""
