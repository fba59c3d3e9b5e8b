"""A view: the part of the mirror that a viewer has searched for, newest first. Pure."""

from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ...domain.ids import SessionId
from ...domain.session import Session
from ...domain.staleness import Status
from .mirror import Mirror, Touched

MOST_SHOWN = 2_000
"""How many matches a table shows, the newest."""

MANY = 8
"""Where one in so many of the matches has changed, a search costs less than judging each anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is searched for: every word, in any field; no statuses means all of them."""

    text: str = ""
    statuses: frozenset[Status] = frozenset()
    app_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What a table must do to show the view again; of the `heard` only the last heartbeat."""

    put: list[SessionId]
    heard: list[SessionId]
    gone: list[SessionId]


class Place(NamedTuple):
    """Where a session stands among the matches."""

    started_at: datetime
    session_id: SessionId


@dataclass(slots=True, kw_only=True)
class View:
    """The matches of a query; a change costs what the changed sessions cost, however many match.

    `counts` is by status, of the sessions that match but for their status.
    """

    mirror: Mirror
    query: Query = field(default_factory=Query)
    most_shown: int = MOST_SHOWN
    counts: Counter[Status] = field(default_factory=Counter)
    _found: dict[SessionId, tuple[Place, Status]] = field(default_factory=dict)
    _order: list[Place] = field(default_factory=list)
    _shown: frozenset[SessionId] = frozenset()
    _touched: Touched = field(default_factory=Touched)

    def __post_init__(self) -> None:
        self.search(self.query)

    @property
    def matches(self) -> int:
        """How many sessions match."""
        return len(self._order)

    @property
    def shown(self) -> frozenset[SessionId]:
        """The sessions that the last delta has left in the table."""
        return self._shown

    def search(self, query: Query) -> None:
        """Look for something else."""
        self.query = query
        words, statuses = query.text.casefold().split(), self.mirror.statuses
        self._found = {
            key: (Place(session.started_at, key), statuses[key])
            for key, session in self.mirror.sessions.items()
            if self._fits(key, session, words)
        }
        self.counts = Counter([status for _, status in self._found.values()])
        self._order = sorted(
            [place for place, status in self._found.values() if self._wanted(status)]
        )

    def notice(self, touched: Touched) -> None:
        """Judge the sessions that have changed anew."""
        self._touched |= touched
        if len(touched.changed) * MANY > len(self._found):
            self.search(self.query)
            return
        words = self.query.text.casefold().split()
        for session_id in touched.changed:
            self._lose(session_id)
            session = self.mirror.sessions.get(session_id)
            if session and self._fits(session_id, session, words):
                self._find(session_id, session)

    def delta(self) -> Delta:
        """Return what has changed since the last delta."""
        touched, self._touched = self._touched, Touched()
        newest = self._order[-self.most_shown :]
        before, self._shown = self._shown, frozenset(place.session_id for place in newest)
        put = (self._shown - before) | (self._shown & touched.changed)
        return Delta(
            put=list(put),
            heard=list((self._shown & touched.heard) - put),
            gone=list(before - self._shown),
        )

    def restart(self) -> None:
        """Give everything in the next delta: the table is empty."""
        self._shown = frozenset()

    def _fits(self, session_id: SessionId, session: Session, words: list[str]) -> bool:
        if self.query.app_name not in (None, session.app_name):
            return False
        if not words:
            return True
        text = self.mirror.texts[session_id]
        return all(word in text for word in words)

    def _wanted(self, status: Status) -> bool:
        return not self.query.statuses or status in self.query.statuses

    def _find(self, session_id: SessionId, session: Session) -> None:
        place, status = Place(session.started_at, session_id), self.mirror.statuses[session_id]
        self._found[session_id] = place, status
        self.counts[status] += 1
        if self._wanted(status):
            insort(self._order, place)

    def _lose(self, session_id: SessionId) -> None:
        if session_id not in self._found:
            return
        place, status = self._found.pop(session_id)
        self.counts[status] -= 1
        if self._wanted(status):
            del self._order[bisect_left(self._order, place)]
