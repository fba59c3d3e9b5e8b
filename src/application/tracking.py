"""The app's side: what the link must send next, which orders to obey, what runs exactly once.

Nothing here waits: the page's threads only note what happened, the link's thread takes it away.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, filterfalse, islice
from typing import Any

from ..domain.ids import SessionId
from ..domain.kill import KillState
from ..domain.report import (
    Activity,
    Draining,
    Ending,
    Figures,
    KillStep,
    News,
    Notice,
    Order,
    Registration,
    Reply,
    Report,
    Shown,
)
from ..domain.session import EndReason, Process
from .app_ports import SessionHost
from .blocks import Blocks
from .clock import Clock, Ids
from .draining import DrainNotice
from .notices import Notices, attempt

NEWS_PER_REPORT = 200
"""Most news of a kind in one report: with the longest names, of four bytes a character, and as
many heartbeats as there may be, the request stays below the server's limit of 1 MiB."""

SESSIONS_PER_REPORT = 10_000
"""Most heartbeats in one report, by the server's contract."""

ENDINGS_KEPT = 10_000
"""Ends kept while the server is away; the server gives up on older ones by itself."""

Callback = Callable[[], Any]


@dataclass(slots=True, eq=False)
class RunningTask:
    """A task in progress, as the app sees it."""

    name: str
    since: float
    progress: float | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class TrackedSession:
    """One session of this process. Its fields belong to `Tracking`, which guards them."""

    session_id: SessionId
    app_name: str
    user_id: str | None
    host: SessionHost
    since: float
    registered: bool = False
    tasks: list[RunningTask] = field(default_factory=list)
    activity: int = 0
    activity_told: int = 0
    order: Order | None = None
    ran: threading.Event | None = None
    step: KillState | None = None
    step_told: KillState | None = None
    callbacks: list[Callback] | None = field(default_factory=list)
    blocks: Blocks = field(default_factory=Blocks)
    drain: DrainNotice | None = None
    over: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A report with what it was made from, so that the reply confirms just that."""

    report: Report
    registrations: tuple[TrackedSession, ...]
    activities: tuple[tuple[TrackedSession, int], ...]
    steps: tuple[tuple[TrackedSession, KillStep], ...]
    shown: tuple[Shown, ...]
    endings: tuple[KillStep | Ending, ...]

    def told_of(self) -> dict[TrackedSession, None]:
        """Return the live sessions that it has news of."""
        changed = (session for session, _ in (*self.activities, *self.steps))
        return dict.fromkeys(chain(self.registrations, changed))


class Tracking:
    """All sessions of this process and what the monitor has not been told of them yet."""

    def __init__(self, process: Process, clock: Clock, ids: Ids) -> None:
        self.process = process
        self.notices = Notices(clock=clock)
        self._clock = clock
        self._ids = ids
        self._lock = threading.Lock()
        self._live: dict[SessionId, TrackedSession] = {}
        self._telling: dict[TrackedSession, None] = {}  # live, with news; the last told comes last
        self._endings: deque[KillStep | Ending] = deque(maxlen=ENDINGS_KEPT)
        self._to_beat: list[TrackedSession] = []
        self.wake: Callable[[], None] = lambda: None

    # What the app's threads note --------------------------------------------------------

    def open(self, app_name: str, user_id: str | None, host: SessionHost) -> TrackedSession:
        """Begin to track a session."""
        session = TrackedSession(
            session_id=SessionId(self._ids.new()),
            app_name=app_name,
            user_id=user_id,
            host=host,
            since=self._clock.monotonic(),
        )
        with self._lock:
            self._live[session.session_id] = session
            self._note(session)
        self.wake()
        self._show_drain(session)
        return session

    def begin(self, session: TrackedSession, name: str) -> RunningTask:
        """Note that a task begins; the last one begun is the one shown."""
        task = RunningTask(name, self._clock.monotonic())
        with self._lock:
            session.tasks.append(task)
            self._note_activity(session)
        self.wake()
        return task

    def advance(self, session: TrackedSession, task: RunningTask, progress: float | None) -> None:
        """Note how far a task has come, from 0 to 1."""
        with self._lock:
            task.progress = progress
            self._note_activity(session)
        self.wake()

    def finish(self, session: TrackedSession, task: RunningTask) -> None:
        """Note that a task is over; the one begun before it is shown again."""
        with self._lock:
            session.tasks.remove(task)
            self._note_activity(session)
        self.wake()

    def subscribe(
        self, session: TrackedSession, callback: Callback, *, first: bool = False
    ) -> bool:
        """Keep a callback for the session's end, to run `first` if it never waits as others may.

        False if the end has come already.
        """
        with self._lock:
            if session.callbacks is None:
                return False
            session.callbacks.insert(0 if first else len(session.callbacks), callback)
            return True

    # What the end of a session takes ----------------------------------------------------

    def take_callbacks(self, session: TrackedSession) -> list[Callback] | None:
        """Hand out the callbacks to whoever asks first, None to everybody else.

        The first one runs them and then sets `session.ran`, for which the others may wait.
        """
        with self._lock:
            session.ran = session.ran or threading.Event()
            callbacks, session.callbacks = session.callbacks, None
            return callbacks

    def acknowledge(self, session: TrackedSession) -> None:
        """Note that the callbacks of a killed session ran."""
        with self._lock:
            session.step = KillState.ACKNOWLEDGED
            self._note(session)
        self.wake()

    def close(self, session: TrackedSession) -> bool:
        """Note that a session is over; False if that was known."""
        with self._lock:
            if session.over:
                return False
            session.over = True
            self._live.pop(session.session_id, None)
            self._telling.pop(session, None)
            if _stepped(session):
                self._endings.append(_kill_step(session))
            reason = EndReason.KILLED if session.order else EndReason.CLOSED
            self._endings.append(Ending(session_id=session.session_id, reason=reason))
        self.wake()
        return True

    def alive(self) -> bool:
        """Tell whether any session is not over."""
        return bool(self._live)

    def live(self) -> list[TrackedSession]:
        """Return the sessions that are not over."""
        with self._lock:
            return list(self._live.values())

    def abandon(self) -> None:
        """In a forked child: the sessions are the parent's, and its lock may be held."""
        self._lock = threading.Lock()
        self._live, self._telling = {}, {}
        self._endings = deque(maxlen=ENDINGS_KEPT)
        self._to_beat = []
        self.notices = Notices(clock=self._clock)
        self.wake = lambda: None

    # What the link sends and receives ---------------------------------------------------

    def draft(self, *, beat: bool, figures: Figures | None = None) -> Draft:
        """Write down the news, up to what one report may hold, and on a `beat` who is alive."""
        with self._lock:
            now = self._clock.monotonic()
            new = tuple(islice(filterfalse(_registered, self._telling), NEWS_PER_REPORT))
            telling = [*filter(_registered, self._telling), *new]
            changed = islice(filter(_acted, telling), NEWS_PER_REPORT)
            activities = tuple((each, each.activity) for each in changed)
            stepped = islice(filter(_stepped, telling), NEWS_PER_REPORT)
            steps = tuple((each, _kill_step(each)) for each in stepped)
            shown = tuple(islice(self.notices.unconfirmed(beat=beat), NEWS_PER_REPORT))
            endings = tuple(islice(self._endings, NEWS_PER_REPORT))
            news: tuple[News, ...] = (
                *(_registration(each, self.process, now) for each in new),
                *(_activity(each, now) for each, _ in activities),
                *(step for _, step in steps),
                *shown,
                *endings,
            )
            if beat:
                self._to_beat = [*filter(_registered, self._live.values()), *new]
            beating = self._to_beat[:SESSIONS_PER_REPORT]
            self._to_beat = self._to_beat[SESSIONS_PER_REPORT:]
            report = Report(
                process=self.process,
                session_ids=tuple(each.session_id for each in beating if not each.over),
                news=news,
                figures=figures,
            )
        return Draft(report, new, activities, steps, shown, endings)

    def settle(self, draft: Draft, reply: Reply) -> list[TrackedSession]:
        """Take in the reply to a draft; return the sessions that are to be ended now."""
        with self._lock:
            for session, activity in draft.activities:
                session.activity_told = activity
            for session, step in draft.steps:
                if session.order and session.order.kill_id == step.kill_id:
                    session.step_told = step.state
            self.notices.confirm(draft.shown)
            told = set(draft.endings)
            while self._endings and self._endings[0] in told:
                self._endings.popleft()
            unknown, ended = self._find(reply.unknown), self._find(reply.ended)
            for session in unknown:
                _forgotten(session)
            renamed = {self._given_up(session) for session in ended}
            for session in draft.registrations:
                # One that was told to end is not made known anew: its end is already.
                session.registered = bool(session.order) or session.session_id not in renamed
            for session in chain(draft.told_of(), unknown, ended):
                self._note(session)
            return self._ordered(reply.kill_requested)

    def take(self, order: Order) -> list[TrackedSession]:
        """Take in an order that came by itself; return the session, if it is to be ended now."""
        with self._lock:
            return self._ordered((order,))

    def due(self) -> bool:
        """Tell whether there is news that the monitor has not been told."""
        with self._lock:
            return bool(self._endings or self._to_beat or self._telling or self.notices.due())

    # What operators tell the pages -------------------------------------------------------

    def show(self, messages: Iterable[Notice]) -> None:
        """Show messages in the pages of the sessions that they are for, each once."""
        for message in messages:
            with self._lock:
                session = self._live.get(message.session_id)
            if session:
                self.notices.show(message, session.host, self.wake)

    def drained(self, drains: Iterable[Draining]) -> None:
        """Take in all the drains that stand, and show what is new, changed or over."""
        changed = self.notices.drained(drains)
        for session in self.live() if changed else ():
            if session.app_name in changed:
                self._show_drain(session)

    def _show_drain(self, session: TrackedSession) -> None:
        """Show the app's drain as it stands, even if that changes meanwhile."""
        told = session.drain
        while (notice := self.notices.standing(session.app_name)) is not told:
            attempt(partial(session.host.drained, notice))
            session.drain = told = notice

    def _note(self, session: TrackedSession) -> None:
        """Put a session behind all others that have news, or nowhere if it has none."""
        self._telling.pop(session, None)
        if _has_news(session) and not session.over:
            self._telling[session] = None

    def _note_activity(self, session: TrackedSession) -> None:
        session.activity += 1
        if not session.over:
            self._telling[session] = None

    def _find(self, session_ids: tuple[SessionId, ...]) -> list[TrackedSession]:
        return [self._live[each] for each in session_ids if each in self._live]

    def _given_up(self, session: TrackedSession) -> SessionId:
        """The monitor takes it for over, yet it lives: it goes on under the new id returned."""
        if session.order:
            return session.session_id
        del self._live[session.session_id]
        session.session_id = SessionId(self._ids.new())
        self._live[session.session_id] = session
        _forgotten(session)
        return session.session_id

    def _ordered(self, orders: Iterable[Order]) -> list[TrackedSession]:
        killed = []
        for order in orders:
            session = self._live.get(order.session_id)
            if session is None:
                continue  # it has just ended
            if session.order is None:
                session.step = KillState.DELIVERED
                killed.append(session)
            elif session.order.kill_id != order.kill_id:
                session.step_told = None  # ordered anew by a monitor that lost the first order
            session.order = order
            self._note(session)
        return killed


def _registered(session: TrackedSession) -> bool:
    return session.registered


def _acted(session: TrackedSession) -> bool:
    return session.activity != session.activity_told


def _stepped(session: TrackedSession) -> bool:
    return session.order is not None and session.step is not session.step_told


def _has_news(session: TrackedSession) -> bool:
    return not session.registered or _acted(session) or _stepped(session)


def _forgotten(session: TrackedSession) -> None:
    """Tell the monitor all of it again."""
    session.registered = False
    session.activity_told = -1 if session.tasks else session.activity


def _registration(session: TrackedSession, process: Process, now: float) -> Registration:
    return Registration(
        session_id=session.session_id,
        app_name=session.app_name,
        user_id=session.user_id,
        age=now - session.since,
        process=process,
    )


def _activity(session: TrackedSession, now: float) -> Activity:
    if not session.tasks:
        return Activity(session_id=session.session_id, running=False)
    task = session.tasks[-1]
    return Activity(
        session_id=session.session_id,
        running=True,
        task=task.name,
        progress=task.progress,
        age=now - task.since,
    )


def _kill_step(session: TrackedSession) -> KillStep:
    order, state = session.order, session.step
    assert order
    assert state
    return KillStep(session_id=order.session_id, kill_id=order.kill_id, state=state)
