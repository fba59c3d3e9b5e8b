"""The operator's side of the ports: the monitor as the dashboard and the command line see it."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..domain.change import Change
from ..domain.drain import Drain
from ..domain.event import SessionEvent
from ..domain.ids import SessionId
from ..domain.kill import Kill
from ..domain.staleness import Observation, Status
from .ports import LiveApp
from .ports import Reached as Reached  # noqa: PLC0414  # what orders answer
from .processes import Processes


class OperatorError(Exception):
    """The server refused or could not be reached: one line for a person to read."""


class ChangesMissed(OperatorError):
    """The changes since a position are not all to be had: look anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All live sessions and drains, as of the server's moment `at`; changes go on at `position`."""

    sessions: Sequence[Observation]
    drains: Sequence[Drain]
    at: datetime
    position: str


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

    async def look(self) -> Look:
        """Return the live list, and from where to follow it without a gap."""

    def changes(self, position: str) -> AsyncIterator[Change | None]:
        """Yield the changes after a position, as they come, in their order.

        None says that the stream stands and there is nothing new: at first, and every few seconds.
        It never ends by itself (raises OperatorError once it is lost, and ChangesMissed).
        """

    async def session(self, session_id: SessionId) -> Observation:
        """Return a session, live or still in the history."""

    async def events(self, session_id: SessionId) -> list[SessionEvent]:
        """Return what has happened in a session's life, in the order in which it did."""

    async def apps(self) -> list[LiveApp]:
        """Return the apps that have live sessions or are drained, in the order of their names."""

    async def processes(self) -> Processes:
        """Return the processes that serve sessions, or did so lately."""

    async def kill(
        self, session_id: SessionId, *, reason: str | None = None, requested_by: str | None = None
    ) -> Kill:
        """Order the end of a session; ordered again, the first order stands."""

    async def kill_many(
        self,
        session_ids: Collection[SessionId],
        *,
        reason: str | None = None,
        requested_by: str | None = None,
    ) -> Reached:
        """Order the end of those of the sessions that are live; return these."""

    async def kill_all(
        self, app_name: str, *, reason: str | None = None, requested_by: str | None = None
    ) -> Reached:
        """Order the end of every session of an app that is live now."""

    async def send(
        self,
        text: str,
        *,
        session_id: SessionId | None = None,
        app_name: str | None = None,
        sent_by: str | None = None,
    ) -> Reached:
        """Show a text in the page of a session, in those of an app, or in all pages."""

    async def drain(
        self,
        app_name: str,
        *,
        kill_after: float | None = None,
        reason: str | None = None,
        requested_by: str | None = None,
    ) -> Drain:
        """Tell an app's sessions, old and new, that it is being drained.

        `kill_after` seconds from now whatever is left of them is ended; None leaves them be.
        Drained again, the new terms stand.
        """

    async def undrain(self, app_name: str) -> None:
        """Take the drain of an app back; without one nothing happens."""
