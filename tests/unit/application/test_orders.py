"""The order stream: kills at once, however often it breaks."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import pytest
from panel_session_monitor.application.app_ports import MonitorUnavailable, MonitorUnreachable
from panel_session_monitor.application.backoff import Backoff
from panel_session_monitor.application.orders import STEADY, OrderStream
from panel_session_monitor.application.tracking import TrackedSession
from panel_session_monitor.domain.ids import KillId, ProcessId
from panel_session_monitor.domain.kill import KillState
from panel_session_monitor.domain.report import Order

from ...fakes.monitor import InMemoryMonitor
from .app import App
from .linked import AWAY, LOGGER, Linked, link_threads, pauses_grow, soon, warnings_of

ORDERS = "panel-session-monitor-orders"
NONSENSE = MonitorUnavailable("it answers, but is no monitor")
GONE = MonitorUnreachable("connection reset")


@pytest.fixture
def app() -> Iterator[Linked]:
    app = Linked()
    yield app
    app.monitor.failure = app.monitor.no_orders = None
    app.link.shut_down()


def open_with_callback(app: Linked) -> tuple[TrackedSession, list[None]]:
    """Open a session that the monitor knows; return it with what its callback leaves."""
    session = app.open()
    runs: list[None] = []
    app.tracking.subscribe(session, lambda: runs.append(None))
    app.known(session)
    soon(lambda: app.monitor.streams)
    return session, runs


def kill_state(app: Linked, session: TrackedSession) -> KillState | None:
    stored = app.stored(session)
    return stored.kill.state if stored and stored.kill else None


# The threads


def test_a_process_has_two_threads_however_many_sessions(app: Linked) -> None:
    before = {*link_threads(), *link_threads(ORDERS)}

    for session in [app.open() for _ in range(50)]:
        app.known(session)
    soon(lambda: app.monitor.streams)

    ours = {*link_threads(), *link_threads(ORDERS)} - before
    assert sorted(each.name for each in ours) == ["panel-session-monitor", ORDERS]


def test_nobody_asks_for_orders_before_the_monitor_has_taken_a_report(app: Linked) -> None:
    app.monitor.failure = AWAY
    app.open()
    soon(lambda: app.monitor.attempts >= 3)
    asked = len(app.monitor.streams)

    app.comes_back()

    assert asked == 0
    assert soon(lambda: app.monitor.streams) == [None]


def test_the_end_of_the_process_ends_a_stream_that_waits(app: Linked) -> None:
    before = set(link_threads(ORDERS))
    app.known(app.open())
    soon(lambda: app.monitor.streams)
    begun = monotonic()

    app.link.shut_down()

    assert monotonic() - begun < 1
    soon(lambda: set(link_threads(ORDERS)) <= before)


def test_the_end_of_the_process_ends_a_pause_between_streams(app: Linked) -> None:
    before = set(link_threads(ORDERS))
    app.monitor.no_orders = MonitorUnavailable("busy", retry_after=60)
    app.known(app.open())
    soon(lambda: app.monitor.streams)

    app.link.shut_down()

    soon(lambda: set(link_threads(ORDERS)) <= before)


# Kills


def test_a_kill_does_not_wait_for_a_heartbeat(app: Linked) -> None:
    session, runs = open_with_callback(app)
    beats = app.reports_with_beats()

    app.kill(session, reason="maintenance")
    app.monitor.poke()

    assert soon(lambda: app.hosts[session.session_id].ended_for) == ["maintenance"]
    soon(lambda: kill_state(app, session) is KillState.ACKNOWLEDGED)
    assert (len(runs), app.reports_with_beats()) == (1, beats)


def test_a_kill_that_comes_both_ways_runs_the_callbacks_once(app: Linked) -> None:
    session, runs = open_with_callback(app)

    app.kill(session)
    app.monitor.poke()
    app.beats()
    app.beats()
    soon(lambda: kill_state(app, session) is KillState.ACKNOWLEDGED)

    assert len(runs) == 1
    assert len(app.hosts[session.session_id].ended_for) == 1


def test_a_kill_is_obeyed_while_reports_are_not_taken(app: Linked) -> None:
    session, runs = open_with_callback(app)
    app.goes_away()

    app.kill(session)
    app.monitor.poke()
    soon(lambda: runs)
    untold = kill_state(app, session)
    app.comes_back()

    assert untold is KillState.REQUESTED
    soon(lambda: kill_state(app, session) is KillState.ACKNOWLEDGED)


def test_an_order_for_a_session_that_has_just_ended_is_ignored(
    app: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    gone, _ = open_with_callback(app)
    other, runs = open_with_callback(app)
    app.goes_away()
    app.link.end(gone)
    app.kill(gone)
    caplog.clear()

    app.kill(other)
    app.monitor.poke()
    soon(lambda: runs)

    assert app.hosts[gone.session_id].ended_for == []
    assert warnings_of(caplog) == []


# Trouble


@pytest.mark.parametrize("trouble", [NONSENSE, GONE, KeyError("kill")])
def test_a_stream_that_breaks_goes_on_after_the_last_order(app: Linked, trouble: Exception) -> None:
    first, _ = open_with_callback(app)
    second, runs = open_with_callback(app)
    kill = app.kill(first)
    app.monitor.poke()
    soon(lambda: app.hosts[first.session_id].ended_for)

    app.monitor.break_off(trouble)
    soon(lambda: len(app.monitor.streams) == 2)
    app.kill(second)
    app.monitor.poke()

    assert soon(lambda: runs)
    assert app.monitor.streams == [None, kill.kill_id]


def test_trouble_is_warned_of_once(app: Linked, caplog: pytest.LogCaptureFixture) -> None:
    app.monitor.no_orders = NONSENSE

    with caplog.at_level(logging.DEBUG, LOGGER):
        app.known(app.open())
        soon(lambda: len(app.monitor.streams) >= 4)

    assert len(warnings_of(caplog)) == 1
    assert "it answers, but is no monitor" in warnings_of(caplog)[0]
    assert app.link.online


def test_a_monitor_that_is_gone_is_the_matter_of_the_reports(
    app: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    app.monitor.no_orders = GONE

    app.known(app.open())
    soon(lambda: len(app.monitor.streams) >= 3)

    assert warnings_of(caplog) == []


def test_trouble_is_warned_of_again_once_a_stream_has_stood_well(
    app: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    app.monitor.no_orders = NONSENSE
    app.known(app.open())
    soon(lambda: warnings_of(caplog))
    app.monitor.no_orders = None
    soon(lambda: _connected(app))

    app.clock.advance(STEADY)
    app.monitor.no_orders = NONSENSE
    app.monitor.hang_up()

    assert soon(lambda: len(warnings_of(caplog)) == 2)


def test_the_trouble_that_ends_a_stream_which_stood_well_is_warned_of(
    app: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    app.monitor.no_orders = NONSENSE
    app.known(app.open())
    soon(lambda: warnings_of(caplog))
    app.monitor.no_orders = None
    soon(lambda: _connected(app))

    app.clock.advance(STEADY)
    app.monitor.break_off(NONSENSE)

    assert soon(lambda: len(warnings_of(caplog)) == 2)


def _connected(app: Linked) -> bool:
    app.beats()
    figures = app.monitor.reports[-1].figures
    return figures is not None and figures.connected


@dataclass(slots=True, kw_only=True)
class TimedMonitor(InMemoryMonitor):
    """Takes reports, and lets every stream break as soon as it stands; remembers when."""

    breaks: Callable[[], Any]
    opened_at: list[float] = field(default_factory=list)

    def orders(self, process_id: ProcessId, after: KillId | None = None) -> Iterator[Order | None]:
        """Open and break."""
        self.opened_at.append(monotonic())
        yield None
        self.breaks()


def fail() -> None:
    raise NONSENSE


@pytest.mark.parametrize("breaks", [fail, lambda: None], ids=["nonsense", "end"])
def test_pauses_grow_while_streams_do_not_stand(breaks: Callable[[], Any]) -> None:
    app = App()
    monitor = TimedMonitor(sessions=app.world.sessions, clock=app.clock, breaks=breaks)
    link = app.linked(lambda: 0.05, monitor=monitor)

    app.open()
    soon(lambda: len(monitor.opened_at) >= 4)

    assert pauses_grow(monitor.opened_at)
    link.shut_down()


def test_a_stream_that_has_stood_well_is_opened_again_soon_even_if_it_breaks() -> None:
    app, failures = App(), list[int]()
    backoff = Backoff(lambda: 0.01)

    def stand_and_break() -> None:
        failures.append(backoff.failures)
        app.clock.advance(STEADY)
        fail()

    stream = OrderStream(
        monitor=TimedMonitor(sessions=app.world.sessions, clock=app.clock, breaks=stand_and_break),
        process_id=app.tracking.process.process_id,
        clock=app.clock,
        obey=lambda _: None,
        longest_pause=lambda: 30.0,
        backoff=backoff,
    )
    stream.start()
    soon(lambda: len(failures) >= 4)
    stream.stop()

    assert failures[:4] == [0, 1, 1, 1]


def test_a_server_that_asks_for_a_pause_gets_it() -> None:
    def be_busy() -> None:
        raise MonitorUnavailable("busy", retry_after=0.2)

    app = App()
    monitor = TimedMonitor(sessions=app.world.sessions, clock=app.clock, breaks=be_busy)
    link = app.linked(lambda: 0.0, monitor=monitor)

    app.open()
    soon(lambda: len(monitor.opened_at) >= 3)

    first, second, third = monitor.opened_at[:3]
    assert second - first >= 0.2
    assert third - second >= 0.2
    link.shut_down()


def test_a_stream_that_has_ended_does_not_count_as_connected(app: Linked) -> None:
    app.known(app.open())
    soon(lambda: _connected(app))

    app.monitor.no_orders = NONSENSE
    app.monitor.hang_up()

    assert soon(lambda: not _connected(app))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_has_died_is_replaced_with_the_next_report(app: Linked) -> None:
    before = set(link_threads(ORDERS))
    session, runs = open_with_callback(app)
    app.monitor.break_off(SystemExit())
    soon(lambda: set(link_threads(ORDERS)) <= before)

    app.beats()
    app.kill(session)
    app.monitor.poke()

    assert soon(lambda: runs)
