"""The loop lag: asked once at a time, told as it stands."""

import threading

import pytest
from panel_session_monitor.application.lag import LoopLag

from ...support.processes import eventually
from .app import App


@pytest.fixture
def app() -> App:
    return App()


def test_without_an_event_loop_there_is_no_lag(app: App) -> None:
    app.open()

    assert LoopLag(app.clock).measure(app.tracking.live()) is None
    assert LoopLag(app.clock).measure([]) is None


def test_it_is_how_long_the_answer_took(app: App) -> None:
    app.open()  # it has none, and is passed over
    session = app.open(has_loop=True)
    lag = LoopLag(app.clock)
    pings = app.hosts[session.session_id].pings

    def come_round() -> None:
        eventually(lambda: pings, every=0.001)
        app.clock.advance(0.03)
        pings.pop()()

    loop = threading.Thread(target=come_round)
    loop.start()

    assert lag.measure(app.tracking.live()) == pytest.approx(0.03)
    loop.join()


def test_a_loop_that_is_blocked_is_asked_once_and_its_lag_grows(app: App) -> None:
    session = app.open(has_loop=True)
    lag = LoopLag(app.clock)
    told = [lag.measure(app.tracking.live())]

    for _ in range(2):
        app.clock.advance(30)
        told.append(lag.measure(app.tracking.live()))

    assert told == [pytest.approx(0.0), pytest.approx(30.0), pytest.approx(60.0)]
    assert len(app.hosts[session.session_id].pings) == 1


def test_a_loop_that_has_come_round_is_asked_anew(app: App) -> None:
    session = app.open(has_loop=True)
    pings = app.hosts[session.session_id].pings
    lag = LoopLag(app.clock)
    lag.measure(app.tracking.live())
    app.clock.advance(30)
    pings[0]()

    assert lag.measure(app.tracking.live()) == pytest.approx(0.0)
    assert len(pings) == 2


def test_a_question_ends_with_its_session(app: App) -> None:
    session = app.open(has_loop=True)
    lag = LoopLag(app.clock)
    lag.measure(app.tracking.live())
    app.clock.advance(30)

    app.tracking.close(session)

    assert lag.measure(app.tracking.live()) is None
