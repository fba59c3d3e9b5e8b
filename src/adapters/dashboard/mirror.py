"""The mirror: the server's live list as this process knows it, kept by its changes. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from ...application.operator_ports import Look
from ...application.ports import Clock
from ...domain.change import Change, Changed, DrainChanged, Heard
from ...domain.drain import Drain
from ...domain.ids import ProcessId, SessionId
from ...domain.session import Session
from ...domain.staleness import Observation, StalenessPolicy, Status

REMEMBERED = 10_000
"""How many of the sessions that have ended are kept, for those who follow a kill to its end."""


@dataclass(slots=True)
class Touched:
    """What has become of sessions: of the `heard`, nothing but the last heartbeat has changed."""

    changed: set[SessionId] = field(default_factory=set)
    heard: set[SessionId] = field(default_factory=set)

    def __ior__(self, other: "Touched") -> Self:
        self.changed |= other.changed
        self.heard |= other.heard
        return self


@dataclass(slots=True)
class Tally:
    """The sessions of an app, counted by status, user and task."""

    statuses: Counter[Status] = field(default_factory=Counter)
    users: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)

    def count(self, session: Session, status: Status, by: int) -> None:
        """Add a session, or take it away where `by` is -1."""
        self.statuses[status] += by
        task = session.task
        for counter, name in ((self.users, session.user_id), (self.tasks, task and task.name)):
            if name:
                counter[name] += by
                if not counter[name]:
                    del counter[name]


@dataclass(slots=True, kw_only=True)
class Mirror:
    """Live sessions, their statuses and counts, and the drains; nothing is ever counted anew."""

    clock: Clock
    policy: StalenessPolicy = field(default_factory=StalenessPolicy)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    statuses: dict[SessionId, Status] = field(default_factory=dict)
    texts: dict[SessionId, str] = field(default_factory=dict)
    departed: dict[SessionId, Session] = field(default_factory=dict)
    apps: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    drains: dict[str, Drain] = field(default_factory=dict)
    _served: dict[ProcessId, set[SessionId]] = field(default_factory=lambda: defaultdict(set))
    _at: datetime | None = None
    _read_at: float = 0.0

    @property
    def filled(self) -> bool:
        """Whether the server has ever been read."""
        return self._at is not None

    def now(self) -> datetime:
        """Return the time by the server's clock."""
        if self._at is None:
            return self.clock.now()
        return self._at + timedelta(seconds=self.clock.monotonic() - self._read_at)

    def seen(self, session_id: SessionId) -> Observation | None:
        """Return a live session as it is now."""
        session = self.sessions.get(session_id)
        if session is None:
            return None
        return Observation(session=session, status=self.statuses[session_id], at=self.now())

    def of(self, app_name: str) -> list[SessionId]:
        """Return the live sessions of an app."""
        return [key for key, session in self.sessions.items() if session.app_name == app_name]

    def take(self, look: Look) -> Touched:
        """Be what the server was seen to be."""
        self._at, self._read_at = look.at, self.clock.monotonic()
        fresh = {seen.session.session_id: seen.session for seen in look.sessions}
        touched = Touched(changed=self.sessions.keys() | fresh.keys())
        for session_id in self.sessions.keys() - fresh.keys():
            self._drop(session_id)
        for session in fresh.values():
            self._put(session)
        self.drains = {drain.app_name: drain for drain in look.drains}
        return touched

    def apply(self, change: Change) -> Touched:
        """Follow a change."""
        match change:
            case Changed(session=session):
                self._drop(session.session_id)
                if session.end:
                    self._remember(session)
                else:
                    self._put(session)
                return Touched(changed={session.session_id})
            case Heard():
                return self._heard(change)
            case DrainChanged(app_name=app_name, drain=None):
                self.drains.pop(app_name, None)
            case DrainChanged(app_name=app_name, drain=Drain() as drain):
                self.drains[app_name] = drain
        return Touched()

    def judge(self) -> Touched:
        """Find what time alone has changed: sessions fall silent, kills become overdue."""
        since = self.policy.stale_since(self.now())
        silent = [
            key
            for key, session in self.sessions.items()
            if session.last_heartbeat <= since and self.statuses[key] is not Status.STALE
        ]
        for session_id in silent:
            self._put(self.sessions[session_id])
        killed = {key for key, session in self.sessions.items() if session.kill}
        return Touched(changed=killed.union(silent))

    def _heard(self, change: Heard) -> Touched:
        spoken: Iterable[set[SessionId]] = (
            self._served.get(key, set()) for key in change.process_ids
        )
        touched = Touched()
        for session_id in set(change.session_ids).union(*spoken) & self.sessions.keys():
            session = self.sessions[session_id].seen(change.at)
            if self.statuses[session_id] is Status.STALE:
                self._put(session)
                touched.changed.add(session_id)
            else:
                self.sessions[session_id] = session
                touched.heard.add(session_id)
        return touched

    def _put(self, session: Session) -> None:
        self._drop(session.session_id)
        session_id, process = session.session_id, session.process
        status = self.policy.judge(session, self.now())
        self.sessions[session_id], self.statuses[session_id] = session, status
        self.texts[session_id] = searched(session)
        self.apps[session.app_name].count(session, status, 1)
        if process:
            self._served[process.process_id].add(session_id)

    def _drop(self, session_id: SessionId) -> None:
        session = self.sessions.pop(session_id, None)
        if session is None:
            return
        del self.texts[session_id]
        tally = self.apps[session.app_name]
        tally.count(session, self.statuses.pop(session_id), -1)
        if not any(tally.statuses.values()):
            del self.apps[session.app_name]
        if session.process:
            served = self._served[session.process.process_id]
            served.discard(session_id)
            if not served:
                del self._served[session.process.process_id]

    def _remember(self, session: Session) -> None:
        self.departed[session.session_id] = session
        if len(self.departed) > REMEMBERED:
            del self.departed[next(iter(self.departed))]


def searched(session: Session) -> str:
    """Return the text in which a search looks, one field a line."""
    task, process = session.task, session.process
    fields = (
        session.app_name,
        session.user_id,
        task.name if task else None,
        f"{process.host}:{process.pid}" if process else None,
        str(session.session_id),
    )
    return "\n".join(field or "" for field in fields).casefold()
