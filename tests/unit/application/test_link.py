"""The link's thread, with a monitor in memory: real threads, no network, a clock that is set."""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from typing import Any

import pytest
from panel_session_monitor.adapters.interruption import Interruptions, raiser
from panel_session_monitor.application.app_ports import MonitorUnavailable, SessionKilled
from panel_session_monitor.application.ending import (
    CALLBACKS_WAITED_FOR,
    CREW,
    DEFAULT_REASON,
)
from panel_session_monitor.application.link import COALESCE
from panel_session_monitor.application.tracker import Tracker
from panel_session_monitor.application.tracking import TrackedSession
from panel_session_monitor.domain.ids import KillId, ProcessId
from panel_session_monitor.domain.kill import KillState
from panel_session_monitor.domain.report import Activity, Figures, Order, Reply, Report
from panel_session_monitor.domain.session import EndReason
from panel_session_monitor.domain.task import Task

from ...fakes.clock import NOON, SettableClock
from ...fakes.examples import ago
from ...fakes.host import RecordingHost
from ...fakes.monitor import InMemoryMonitor
from ...fakes.vitals import FixedVitals
from ...support.processes import eventually
from .app import App
from .linked import (
    AWAY,
    LOGGER,
    PATIENCE,
    Linked,
    errors_of,
    link_threads,
    pauses_grow,
    soon,
    warnings_of,
)
from .world import World


@pytest.fixture
def app() -> Iterator[Linked]:
    app = Linked()
    yield app
    app.monitor.failure = app.monitor.garble = None
    app.link.shut_down()


# Reporting


def test_a_session_is_registered_with_its_age(app: Linked) -> None:
    session = app.open(user_id="ada")

    stored = app.known(session)

    assert (stored.app_name, stored.user_id, stored.started_at) == ("sales", "ada", NOON)
    assert soon(lambda: app.link.online)


def test_work_is_reported_as_it_happens(app: Linked) -> None:
    session = app.open()
    task = app.tracking.begin(session, "Loading")
    soon(lambda: app.known(session).task == Task(name="Loading", started_at=NOON))

    app.tracking.advance(session, task, 0.5)
    soon(lambda: app.known(session).task == Task(name="Loading", started_at=NOON, progress=0.5))
    app.tracking.finish(session, task)

    assert soon(lambda: app.known(session).task is None)


def test_the_thread_starts_with_the_first_session_and_serves_all(app: Linked) -> None:
    before = len(link_threads())
    idle = App().linked(lambda: 0.0)
    unstarted = len(link_threads())

    sessions = [app.open() for _ in range(50)]
    for session in sessions:
        app.known(session)

    assert (unstarted, len(link_threads())) == (before, before + 1)
    idle.shut_down()


def test_what_happens_at_the_same_time_goes_in_few_reports(app: Linked) -> None:
    app.known(app.open())
    before = len(app.monitor.reports)

    sessions = [app.open() for _ in range(200)]
    for session in sessions:
        app.tracking.begin(session, "Loading")
    for session in sessions:
        app.known(session)

    assert len(app.monitor.reports) - before <= 4


def test_sessions_beat_once_in_an_interval(app: Linked) -> None:
    session = app.open()
    app.known(session)
    app.beats()

    app.clock.advance(29)
    app.tracking.begin(session, "Loading")
    early = soon(lambda: [each for each in app.monitor.reports if _tells_of_work(each)])[0]
    app.clock.advance(1)
    app.link.wake()

    assert early.session_ids == ()
    assert soon(lambda: app.known(session).last_heartbeat == app.clock.now())
    soon(lambda: app.monitor.reports[-1].session_ids == (session.session_id,))


def _tells_of_work(report: Report) -> bool:
    return any(isinstance(each, Activity) for each in report.news)


@pytest.mark.parametrize(("wish", "expected"), [(None, 30.0), (5.0, 5.0)])
def test_the_interval_is_the_apps_own_wish_or_the_servers(
    wish: float | None, expected: float
) -> None:
    app = App()
    link = app.linked(lambda: 1.0, heartbeat_interval=wish)
    session = app.open()
    soon(lambda: app.stored(session))
    soon(lambda: link.online)

    app.clock.advance(expected - 0.5)
    app.tracking.begin(session, "Loading")
    soon(lambda: len(app.monitor.reports) == 2)
    app.clock.advance(0.5)
    link.wake()
    soon(lambda: len(app.monitor.reports) == 3)

    assert [bool(each.session_ids) for each in app.monitor.reports] == [True, False, True]
    link.shut_down()


def test_processes_that_start_together_spread_their_heartbeats() -> None:
    app = App()
    link = app.linked(lambda: 0.5)
    app.open()
    soon(lambda: link.online)

    app.clock.advance(15)
    link.wake()
    soon(lambda: len(app.monitor.reports) == 2)

    assert app.monitor.reports[1].session_ids
    link.shut_down()


def test_heartbeats_are_spread_once() -> None:
    app = App()
    link = app.linked(lambda: 0.5, coalesce=0.01)
    session = app.open()
    soon(lambda: link.online)
    app.clock.advance(15)
    link.wake()
    soon(lambda: len(app.monitor.reports) == 2)

    app.clock.advance(29)
    app.tracking.begin(session, "Loading")
    soon(lambda: len(app.monitor.reports) == 3)
    app.clock.advance(1)
    link.wake()
    soon(lambda: len(app.monitor.reports) == 4)

    beats = [bool(each.session_ids) for each in app.monitor.reports]
    assert beats == [True, True, False, True]
    link.shut_down()


def test_two_reports_are_a_fifth_of_a_second_apart_at_least() -> None:
    app = App()
    monitor = TimedMonitor(AWAY, taking=app.monitor.report)
    link = app.linked(lambda: 0.0, monitor=monitor)
    session = app.open()
    soon(lambda: link.online)

    app.tracking.begin(session, "Loading")
    soon(lambda: len(monitor.asked_at) == 2)

    assert monitor.asked_at[1] - monitor.asked_at[0] >= COALESCE == 0.2
    link.shut_down()


def test_reports_slow_down_while_the_monitor_ends_what_it_was_just_told() -> None:
    app = App()
    session = app.open()

    def end(report: Report) -> Reply:
        return replace(app.monitor.report(report), ended=(session.session_id,))

    monitor = TimedMonitor(AWAY, taking=end)
    link = app.linked(lambda: 0.0, monitor=monitor, coalesce=0.025)
    link.wake()
    soon(lambda: len(monitor.asked_at) >= 4)

    assert pauses_grow(monitor.asked_at)
    link.shut_down()


def test_news_that_is_refused_is_warned_of_once(
    app: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        app.open(app_name="x" * 201)
        soon(lambda: not app.tracking.due())
        app.beats()
        app.beats()

    assert len(warnings_of(caplog)) == 1
    assert "refuses news" in warnings_of(caplog)[0]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_has_died_is_replaced_with_the_next_note(app: Linked) -> None:
    before = set(link_threads())
    session = app.open()
    app.known(session)
    app.monitor.failure = SystemExit()
    app.tracking.begin(session, "Loading")
    soon(lambda: set(link_threads()) <= before)

    app.monitor.failure = None
    app.tracking.begin(session, "Computing")

    now = Task(name="Computing", started_at=NOON)
    assert soon(lambda: app.known(session).task == now)


def test_a_heartbeat_tells_how_the_process_fares_and_other_reports_do_not(app: Linked) -> None:
    session = app.open()
    app.known(session)
    soon(lambda: app.monitor.streams)
    app.tracking.begin(session, "Loading")
    soon(lambda: app.known(session).task)

    app.beats()

    told = [(bool(each.session_ids), each.figures) for each in app.monitor.reports]
    figures = FixedVitals.figures
    assert told == [(True, figures), (False, None), (True, replace(figures, connected=True))]


class FailingVitals:
    """Cannot be read."""

    def read(self) -> Figures:
        raise ValueError("statm")


def test_figures_that_cannot_be_read_do_not_stop_the_reports() -> None:
    app = App()
    link = app.linked(lambda: 0.02, vitals=FailingVitals())

    app.open()
    soon(lambda: link.online)

    assert app.monitor.reports[0].session_ids
    assert app.monitor.reports[0].figures == Figures()
    link.shut_down()


def test_a_blocked_event_loop_does_not_hold_up_the_heartbeats(app: Linked) -> None:
    app.known(app.open(has_loop=True))

    app.beats()
    app.clock.advance(30)
    app.beats()

    figures = app.monitor.reports[-1].figures
    assert figures
    assert figures.loop_lag_seconds
    assert figures.loop_lag_seconds >= 60


def test_one_session_is_reported_once_in_a_while_and_its_last_state_arrives() -> None:
    app = App()
    link = app.linked(lambda: 1.0, coalesce=0.1)
    session = app.open()
    soon(lambda: link.online)
    task = app.tracking.begin(session, "Loading")
    begun, step = monotonic(), 0

    while monotonic() - begun < 0.5:
        step += 1
        app.tracking.advance(session, task, 1 / step)
    soon(lambda: not app.tracking.due())

    told = [each for report in app.monitor.reports for each in report.news]
    assert len(told) <= 8  # a registration, a beginning, one in each 0.1 s, the last
    assert told[-1] == Activity(
        session_id=session.session_id, running=True, task="Loading", progress=1 / step, age=0.0
    )
    link.shut_down()


# Outages


def test_an_outage_is_warned_of_once(app: Linked, caplog: pytest.LogCaptureFixture) -> None:
    app.monitor.failure = AWAY

    with caplog.at_level(logging.INFO, LOGGER):
        app.open()
        soon(lambda: app.monitor.attempts >= 4)
        first = len(warnings_of(caplog))
        app.comes_back()
        app.goes_away()
        app.comes_back()

    assert first == 1
    assert len(warnings_of(caplog)) == 2
    assert "connection refused" in warnings_of(caplog)[0]
    answers_again = [each for each in caplog.messages if "answers again" in each]
    assert len(answers_again) == 2


def test_after_an_outage_sessions_appear_with_their_true_start(app: Linked) -> None:
    app.monitor.failure = AWAY
    session = app.open()
    app.tracking.begin(session, "Loading")
    soon(lambda: app.monitor.attempts >= 2)
    app.clock.advance(1000)

    app.comes_back()

    stored = app.known(session)
    assert stored.started_at == NOON
    assert soon(lambda: app.known(session).task == Task(name="Loading", started_at=NOON))
    assert stored.last_heartbeat == ago(-1000)


def test_after_an_outage_all_sessions_beat_at_once(app: Linked) -> None:
    session = app.open()
    app.known(session)
    app.goes_away()
    app.clock.advance(300)

    app.comes_back()

    assert app.known(session).last_heartbeat == app.clock.now()


def test_after_an_outage_that_fell_between_two_heartbeats_all_sessions_beat_too(
    app: Linked,
) -> None:
    session = app.open()
    app.known(session)
    app.beats()
    app.monitor.failure = AWAY
    app.tracking.begin(session, "Loading")
    soon(lambda: not app.link.online)
    before = app.reports_with_beats()

    app.comes_back()

    assert app.reports_with_beats() == before + 1


def test_ends_during_an_outage_are_told_after_it(app: Linked) -> None:
    session = app.open()
    app.known(session)
    app.goes_away()

    app.link.end(session)
    soon(lambda: not app.tracking.live())
    app.comes_back()

    assert soon(lambda: app.known(session).end)


def test_a_monitor_that_forgot_everything_is_told_again(app: Linked) -> None:
    session = app.open()
    app.tracking.begin(session, "Loading")
    soon(lambda: app.known(session).task)
    app.lose_all()

    app.beats()

    stored = app.known(session)
    assert stored.started_at == NOON
    assert soon(lambda: app.known(session).task == Task(name="Loading", started_at=NOON))


class Unpushing:
    """What a monitor lacks that only takes reports."""

    def orders(self, process_id: ProcessId, after: KillId | None = None) -> Iterator[Order | None]:
        raise AWAY

    def hang_up(self) -> None:
        """Nobody waits."""


@dataclass(slots=True)
class TimedMonitor(Unpushing):
    """Is away, or does as it is told, and remembers when it was asked."""

    failure: MonitorUnavailable
    taking: Callable[[Report], Reply] | None = None
    asked_at: list[float] = field(default_factory=list)

    def report(self, report: Report) -> Reply:
        """Fail, or do what is given instead."""
        self.asked_at.append(monotonic())
        if self.taking:
            return self.taking(report)
        raise self.failure


def test_a_server_that_asks_for_a_pause_gets_it() -> None:
    app = App()
    monitor = TimedMonitor(MonitorUnavailable("busy", retry_after=0.2))
    link = app.linked(lambda: 0.0, monitor=monitor)

    app.open()
    soon(lambda: len(monitor.asked_at) >= 3)

    first, second, third = monitor.asked_at[:3]
    assert second - first >= 0.2
    assert third - second >= 0.2
    link.shut_down()


def test_pauses_grow_while_the_monitor_is_away() -> None:
    app = App()
    monitor = TimedMonitor(AWAY)
    link = app.linked(lambda: 0.05, monitor=monitor)

    app.open()
    soon(lambda: len(monitor.asked_at) >= 4)

    assert pauses_grow(monitor.asked_at)
    link.shut_down()


def test_no_pause_is_longer_than_the_interval() -> None:
    app = App()
    app.monitor.heartbeat_interval = 0.05
    link = app.linked(lambda: 1.0)
    app.open()
    soon(lambda: link.online)
    app.monitor.failure = AWAY

    app.clock.advance(30)
    link.wake()

    assert soon(lambda: app.monitor.attempts >= 12)
    link.shut_down()


def test_the_apps_own_interval_bounds_the_pauses_from_the_first_report_on() -> None:
    app = App()
    app.monitor.failure = AWAY
    link = app.linked(lambda: 1.0, heartbeat_interval=0.05)

    app.open()

    assert eventually(lambda: app.monitor.attempts >= 8, patience=2)
    link.shut_down()


@pytest.mark.parametrize(
    "surprise", [KeyError("kill_requested"), RecursionError(), OSError(24, "no more files")]
)
def test_whatever_the_monitor_raises_the_link_outlives(
    app: Linked, caplog: pytest.LogCaptureFixture, surprise: Exception
) -> None:
    session = app.open()
    app.known(session)

    app.goes_away(surprise)
    soon(lambda: app.monitor.attempts >= 3)
    app.comes_back()
    app.tracking.begin(session, "Loading")

    assert soon(lambda: app.known(session).task)
    assert len(warnings_of(caplog)) == 1


@dataclass(slots=True)
class WatchedClock(SettableClock):
    """Counts how often it was read: the link reads it last before it waits for something to do."""

    readings: int = 0

    def monotonic(self) -> float:
        """Return the seconds that are set."""
        self.readings += 1
        return SettableClock.monotonic(self)


@pytest.mark.parametrize("interval", [1e-9, 1e300])
def test_an_absurd_interval_does_not_stop_the_reports(interval: float) -> None:
    clock = WatchedClock()
    app = Linked(World(clock=clock))
    before: list[int] = []

    def garble(reply: Reply) -> Reply:
        before.append(clock.readings)
        return replace(reply, heartbeat_interval=interval)

    app.monitor.garble = garble
    session = app.open()
    soon(lambda: before and clock.readings >= before[0] + 2)  # one is the order stream's

    app.tracking.begin(session, "Loading")

    assert eventually(lambda: app.known(session).task, patience=2)
    app.link.shut_down()


# Kills


def test_a_kill_runs_the_callbacks_and_then_ends_the_page(app: Linked) -> None:
    session = app.open()
    host = app.hosts[session.session_id]
    seen: list[list[str]] = []
    app.tracking.subscribe(session, lambda: seen.append(list(host.ended_for)))
    app.known(session)

    kill = app.kill(session, reason="maintenance")
    app.beats()

    assert soon(lambda: host.ended_for) == ["maintenance"]
    assert seen == [[]]
    stored = soon(lambda: _kill_in(app, session, KillState.ACKNOWLEDGED))
    assert stored.kill_id == kill.kill_id


def _kill_in(app: Linked, session: TrackedSession, state: KillState) -> Any:
    kill = app.known(session).kill
    return kill if kill.state is state else None


def test_a_kill_without_a_reason_names_the_administrator(app: Linked) -> None:
    session = app.open()
    app.known(session)

    app.kill(session)
    app.beats()

    assert soon(lambda: app.hosts[session.session_id].ended_for) == [DEFAULT_REASON]
    assert DEFAULT_REASON == "Session terminated by administrator"


def test_a_kill_is_seen_through_to_its_end(app: Linked) -> None:
    session = app.open()
    app.known(session)
    app.kill(session)
    app.beats()
    soon(lambda: _kill_in(app, session, KillState.ACKNOWLEDGED))

    app.link.end(session)

    over = soon(lambda: app.known(session).end and app.known(session))
    assert over.end.reason is EndReason.KILLED
    assert over.kill.state is KillState.ENDED
    assert app.live() == []


def test_a_kill_that_is_repeated_is_obeyed_once(app: Linked) -> None:
    session = app.open()
    host = app.hosts[session.session_id]
    runs: list[None] = []
    app.tracking.subscribe(session, lambda: runs.append(None))
    app.known(session)
    app.kill(session)

    for _ in range(3):
        app.beats()

    assert soon(lambda: host.ended_for)
    assert (len(runs), len(host.ended_for)) == (1, 1)


def test_only_the_killed_session_is_ended(app: Linked) -> None:
    spared, killed = app.open(), app.open()
    app.known(spared)
    app.known(killed)

    app.kill(killed)
    app.beats()

    assert soon(lambda: app.hosts[killed.session_id].ended_for)
    assert app.hosts[spared.session_id].ended_for == []
    assert app.tracking.subscribe(spared, lambda: None)


def test_callbacks_run_once_where_a_kill_meets_a_natural_end(app: Linked) -> None:
    sessions = [app.open() for _ in range(40)]
    runs: list[TrackedSession] = []
    for session in sessions:
        app.tracking.subscribe(session, partial(runs.append, session))
    for session in sessions:
        app.known(session)
    for session in sessions:
        app.kill(session)

    app.clock.advance(30)
    app.link.wake()
    for session in sessions:
        app.link.end(session)
        app.link.end(session)
    soon(lambda: not app.tracking.live())

    soon(lambda: all(app.known(each).end for each in sessions))
    assert soon(lambda: len(runs) == len(sessions))
    assert {id(each) for each in runs} == {id(each) for each in sessions}


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(1), KeyboardInterrupt()])
def test_a_callback_that_raises_does_not_stop_the_next(
    app: Linked, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    session = app.open()
    runs: list[str] = []

    def broken() -> None:
        runs.append("broken")
        raise error

    for callback in (broken, lambda: runs.append("next")):
        app.tracking.subscribe(session, callback)
    app.known(session)

    app.link.end(session)
    soon(lambda: app.known(session).end)

    soon(lambda: runs == ["broken", "next"])
    assert len(errors_of(caplog)) == 1
    assert str(session.session_id) in errors_of(caplog)[0]


def test_a_callback_that_raises_does_not_stop_the_kill(app: Linked) -> None:
    session = app.open()
    app.tracking.subscribe(session, lambda: 1 / 0)
    app.known(session)

    app.kill(session)
    app.beats()

    assert soon(lambda: app.hosts[session.session_id].ended_for)
    assert soon(lambda: _kill_in(app, session, KillState.ACKNOWLEDGED))


def test_coroutine_callbacks_run_to_their_end_before_the_kill_is_acknowledged(app: Linked) -> None:
    session = app.open()
    runs: list[str] = []

    async def cancel() -> None:
        runs.append("first")

    async def broken() -> None:
        runs.append("broken")
        raise ValueError

    for callback in (cancel, broken, cancel, lambda: runs.append("plain")):
        app.tracking.subscribe(session, callback)
    app.known(session)

    app.kill(session)
    app.beats()
    soon(lambda: _kill_in(app, session, KillState.ACKNOWLEDGED))

    assert sorted(runs) == ["broken", "first", "first", "plain"]


def test_a_kill_interrupts_work_though_the_callbacks_hang(app: Linked) -> None:
    session = app.open()
    tracker = Tracker(app.link, session, Interruptions(raiser()))
    begun, ended, release = threading.Event(), threading.Event(), threading.Event()

    def run_away() -> None:
        try:
            with tracker.task("Loading", interruptible=True):
                begun.set()
                while True:
                    pass
        except SessionKilled:
            ended.set()

    tracker.on_kill(partial(release.wait, PATIENCE))
    app.known(session)
    threading.Thread(target=run_away, daemon=True).start()
    assert begun.wait(PATIENCE)

    app.kill(session)
    app.monitor.poke()

    assert ended.wait(PATIENCE)
    assert app.hosts[session.session_id].ended_for == []
    release.set()


@dataclass(slots=True)
class Hanging:
    """A callback that hangs until the test is over."""

    begun: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> None:
        self.begun.set()
        self.release.wait(10 * PATIENCE)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    callback = Hanging()
    yield callback
    callback.release.set()


def hang_whole_crew(app: Linked, callback: Callable[[], None]) -> None:
    """Have all members at callbacks that hang."""
    for session in [app.open() for _ in range(CREW)]:
        app.tracking.subscribe(session, callback)
        app.link.end(session)


@dataclass(slots=True)
class Watched:
    """A block that tells whether a callback has run by the time that it is interrupted."""

    ran: threading.Event
    seen: list[bool] = field(default_factory=list)

    def here(self) -> bool:
        return True

    def open(self) -> None:
        """Nothing is to be done."""

    def leave(self) -> None:
        """Nothing is to be done."""

    def interrupt(self) -> None:
        self.seen.append(self.ran.wait(0.2))


def test_work_is_interrupted_before_the_callbacks_run_and_though_they_cannot(
    app: Linked, hanging: Hanging
) -> None:
    first, second, ran = app.open(), app.open(), threading.Event()
    blocks = [Watched(ran), Watched(ran)]
    for session, block in zip((first, second), blocks, strict=True):
        app.tracking.subscribe(session, ran.set)
        session.blocks.enter(block)
        app.known(session)

    app.kill(first)
    app.monitor.poke()
    soon(ran.is_set)
    ran.clear()
    hang_whole_crew(app, hanging)
    app.kill(second)
    app.monitor.poke()

    assert soon(lambda: blocks[1].seen)
    assert [each.seen for each in blocks] == [[False], [False]]


def test_a_callback_that_takes_long_holds_up_nobody_else(app: Linked) -> None:
    slow, other = app.open(), app.open()
    begun, release = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        release.wait(PATIENCE)

    app.tracking.subscribe(slow, wait)
    app.known(slow)
    app.kill(slow)
    app.monitor.poke()
    assert begun.wait(PATIENCE)

    app.tracking.begin(other, "Loading")
    soon(lambda: app.known(other).task)

    assert _kill_in(app, slow, KillState.DELIVERED)
    assert app.hosts[slow.session_id].ended_for == []
    release.set()
    assert soon(lambda: _kill_in(app, slow, KillState.ACKNOWLEDGED))


def test_a_callback_that_hangs_does_not_hold_the_page(app: Linked, hanging: Hanging) -> None:
    session = app.open()
    app.tracking.subscribe(session, hanging)
    app.known(session)
    app.kill(session)
    app.monitor.poke()
    assert hanging.begun.wait(PATIENCE)

    app.clock.advance(CALLBACKS_WAITED_FOR)
    app.link.wake()

    assert soon(lambda: app.hosts[session.session_id].ended_for)
    assert _kill_in(app, session, KillState.DELIVERED)


def test_the_link_looks_by_itself_whether_a_callback_hangs(app: Linked, hanging: Hanging) -> None:
    session = app.open()
    app.tracking.subscribe(session, hanging)
    app.known(session)
    app.kill(session)
    app.monitor.poke()
    assert hanging.begun.wait(PATIENCE)
    app.clock.advance(CALLBACKS_WAITED_FOR - 0.1)
    app.link.wake()
    soon(lambda: not app.tracking.due())

    app.clock.advance(0.1)

    assert soon(lambda: app.hosts[session.session_id].ended_for)


def test_that_a_kill_has_come_is_told_though_the_callbacks_hang(
    app: Linked, hanging: Hanging
) -> None:
    session = app.open()
    app.tracking.subscribe(session, hanging)
    app.known(session)
    soon(lambda: not app.tracking.due())
    beats = app.reports_with_beats()

    app.kill(session)
    app.monitor.poke()

    assert soon(lambda: _kill_in(app, session, KillState.DELIVERED))
    assert app.reports_with_beats() == beats


def test_the_end_of_the_process_waits_for_callbacks_that_a_kill_has_begun(
    app: Linked, hanging: Hanging
) -> None:
    session = app.open()
    app.tracking.subscribe(session, hanging)
    app.known(session)
    app.kill(session)
    app.monitor.poke()
    assert hanging.begun.wait(PATIENCE)

    ending = threading.Thread(target=app.link.shut_down)
    ending.start()
    ending.join(0.3)
    waits = ending.is_alive()
    hanging.release.set()

    ending.join(PATIENCE)
    assert (waits, ending.is_alive()) == (True, False)


def test_the_host_is_told_once_the_callbacks_have_run(app: Linked, hanging: Hanging) -> None:
    session = app.open()
    host = app.hosts[session.session_id]
    app.tracking.subscribe(session, hanging)
    app.link.end(session)
    assert hanging.begun.wait(PATIENCE)
    before = list(host.released)

    hanging.release.set()

    assert soon(lambda: host.released) == [None]
    assert before == []


def test_a_callback_that_hangs_does_not_hold_the_page_while_reports_pause(
    app: Linked, hanging: Hanging
) -> None:
    session = app.open()
    app.tracking.subscribe(session, hanging)
    app.known(session)
    soon(lambda: app.monitor.streams)
    app.goes_away(MonitorUnavailable("busy", retry_after=60))
    app.kill(session)
    app.monitor.poke()
    assert hanging.begun.wait(PATIENCE)

    app.clock.advance(CALLBACKS_WAITED_FOR)

    assert soon(lambda: app.hosts[session.session_id].ended_for)


@pytest.mark.parametrize("end", ["by itself", "late"])
def test_callbacks_that_hang_do_not_hold_up_those_of_later_ends(
    app: Linked, hanging: Hanging, end: str
) -> None:
    last, ran = app.open(), threading.Event()
    hang_whole_crew(app, hanging)
    if end == "late":
        app.tracking.close(last)
        app.tracking.take_callbacks(last)
        app.link.run_late(last, ran.set)
    else:
        app.tracking.subscribe(last, ran.set)
        app.link.end(last)
    assert not ran.wait(0.1)

    app.clock.advance(CALLBACKS_WAITED_FOR)
    app.link.wake()

    assert ran.wait(PATIENCE)


def test_a_forked_child_does_not_wait_for_its_parents_callbacks(
    app: Linked, hanging: Hanging
) -> None:
    inherited, ran = app.open(), threading.Event()
    hang_whole_crew(app, hanging)

    app.link.abandon()
    app.link.run_late(inherited, ran.set)

    assert ran.wait(PATIENCE)


def test_a_natural_end_is_reported_while_its_callbacks_are_still_at_work(app: Linked) -> None:
    session = app.open()
    begun, release = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        release.wait(PATIENCE)

    app.tracking.subscribe(session, wait)
    app.known(session)
    app.link.end(session)
    assert begun.wait(PATIENCE)

    ended = soon(lambda: app.known(session).end)
    release.set()

    assert ended.reason is EndReason.CLOSED


def test_a_page_that_cannot_be_ended_leaves_the_link_at_work(
    app: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    session = app.tracking.open("sales", None, RecordingHost(failure=OSError("gone")))
    app.known(session)
    app.kill(session)
    app.beats()
    soon(lambda: errors_of(caplog))

    app.tracking.begin(session, "Loading")

    assert soon(lambda: app.known(session).task)


# The end of the process


def test_at_the_end_of_the_process_all_callbacks_run_and_all_ends_are_told(app: Linked) -> None:
    sessions = [app.open() for _ in range(3)]
    runs: list[int] = []
    for number, session in enumerate(sessions):
        app.tracking.subscribe(session, partial(runs.append, number))
        app.known(session)

    app.link.shut_down()

    assert runs == [0, 1, 2]
    assert [app.known(each).end.reason for each in sessions] == [EndReason.CLOSED] * 3


def test_at_the_end_of_the_process_one_callback_that_hangs_takes_no_other_ones_time(
    app: Linked,
) -> None:
    sessions, others = [app.open() for _ in range(3)], threading.Event()
    runs: list[str] = []

    def wait() -> None:
        runs.append("first" if others.wait(PATIENCE) else "too late")

    for session, callback in zip(
        sessions, (wait, lambda: runs.append("second"), others.set), strict=True
    ):
        app.tracking.subscribe(session, callback)

    app.link.shut_down()

    assert runs == ["second", "first"]


def test_a_stream_that_cannot_be_ended_leaves_no_thread_of_the_link() -> None:
    class Stubborn(InMemoryMonitor):
        """Its streams cannot be ended."""

        def hang_up(self) -> None:
            raise OSError("no such socket")

    app, before = App(), set(link_threads())
    monitor = Stubborn(sessions=app.world.sessions, clock=app.clock)
    link = app.linked(lambda: 0.0, monitor=monitor, coalesce=0.001)
    session = app.open()
    soon(lambda: link.online)
    link.end(session)
    soon(lambda: app.stored(session) and not app.tracking.due())

    with pytest.raises(OSError, match="no such socket"):
        link.shut_down()

    assert soon(lambda: set(link_threads()) <= before)
    InMemoryMonitor.hang_up(monitor)


def test_shutting_down_again_does_nothing(app: Linked) -> None:
    session = app.open()
    runs: list[None] = []
    app.tracking.subscribe(session, lambda: runs.append(None))
    app.known(session)
    app.link.shut_down()
    reports = len(app.monitor.reports)

    app.link.shut_down()

    assert (len(runs), len(app.monitor.reports)) == (1, reports)


def test_a_process_that_never_had_a_session_ends_at_once() -> None:
    app = App()
    before = link_threads()

    app.linked(lambda: 0.0).shut_down()

    assert link_threads() == before
    assert app.monitor.attempts == 0


def test_a_session_that_was_never_reported_does_not_hold_up_the_end(app: Linked) -> None:
    runs: list[None] = []
    session = app.open()
    app.tracking.subscribe(session, lambda: runs.append(None))

    app.link.shut_down()

    assert len(runs) == 1
    assert app.tracking.live() == []


def test_the_end_of_the_process_does_not_wait_for_a_monitor_that_is_away(app: Linked) -> None:
    app.monitor.failure = MonitorUnavailable("busy", retry_after=60)
    app.open()
    soon(lambda: app.monitor.attempts)
    begun = monotonic()

    app.link.shut_down()

    assert monotonic() - begun < 1


def test_the_end_of_the_process_waits_a_second_at_most_for_a_monitor_that_hangs() -> None:
    app = App()
    asked, release = threading.Event(), threading.Event()

    class HangingMonitor(Unpushing):
        """Never answers."""

        def report(self, report: Report) -> Reply:
            asked.set()
            release.wait()
            raise AWAY

    link = app.linked(lambda: 0.0, monitor=HangingMonitor())
    app.open()
    assert asked.wait(PATIENCE)
    begun = monotonic()

    link.shut_down()

    assert 0.5 < monotonic() - begun < 2
    release.set()


def test_noting_never_waits_for_a_monitor_that_hangs() -> None:
    app = App()
    asked, release = threading.Event(), threading.Event()

    class HangingMonitor(Unpushing):
        """Answers when it is released."""

        def report(self, report: Report) -> Reply:
            asked.set()
            release.wait()
            return app.monitor.report(report)

    link = app.linked(lambda: 0.0, monitor=HangingMonitor())
    app.open()
    assert asked.wait(PATIENCE)
    begun = monotonic()

    session = app.open()
    for _ in range(1000):
        app.tracking.finish(session, app.tracking.begin(session, "Loading"))
    spent = monotonic() - begun

    release.set()
    assert soon(lambda: app.stored(session))
    assert spent < 1
    link.shut_down()
