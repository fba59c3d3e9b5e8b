"""What news does to a session."""

from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest
from panel_session_monitor.domain.errors import (
    InvalidField,
    SessionEnded,
    SessionNotFound,
    SessionOfAnotherApp,
    SessionOfAnotherProcess,
)
from panel_session_monitor.domain.kill import KillState
from panel_session_monitor.domain.report import (
    LONGEST_AGE,
    Activity,
    Ending,
    KillStep,
    News,
    Registration,
    known,
    moment,
    require_served_by,
)
from panel_session_monitor.domain.session import EndReason
from panel_session_monitor.domain.task import Task

from ...fakes.clock import NOON
from ...fakes.examples import a_kill, a_process, a_session, a_task, ago, seconds, session_id

LATER = NOON + seconds(30)
TEN_YEARS = 315_360_000


def registration(**fields: Any) -> Registration:
    """Return the news that the session exists."""
    return replace(Registration(session_id=session_id(), app_name="sales"), **fields)


def running(**fields: Any) -> Activity:
    """Return the news that the session works."""
    return replace(Activity(session_id=session_id(), running=True), **fields)


def step(state: KillState, kill: int = 1) -> KillStep:
    """Return the news that a kill has come further."""
    return KillStep(session_id=session_id(), kill_id=a_kill(kill).kill_id, state=state)


@pytest.mark.parametrize("age", [0, -0.0, 0.000001, 59.5, TEN_YEARS])
def test_an_age_is_a_moment_by_the_clock_of_the_monitor(age: float) -> None:
    assert moment("age", age, NOON) == ago(age)


@pytest.mark.parametrize("age", [-0.1, -1e-9, nan, inf, -inf, TEN_YEARS + 1, 1e300])
def test_an_age_is_neither_negative_nor_beyond_ten_years(age: float) -> None:
    with pytest.raises(InvalidField) as raised:
        moment("age", age, NOON)

    assert raised.value.field == "age"
    assert LONGEST_AGE == TEN_YEARS


# Registration


def test_a_registration_makes_a_session_that_was_heard_of_now() -> None:
    made = registration(user_id="ada", age=90.0, process=a_process()).applied(None, NOON)

    assert made == a_session(user_id="ada", started_at=ago(90), process=a_process())


def test_a_registration_told_again_counts_as_a_heartbeat_and_no_more() -> None:
    session = a_session(task=a_task(), kill=a_kill(), user_id="ada")

    told_again = registration(age=5.0, user_id="bob").applied(session, LATER)

    assert told_again == session.seen(LATER)


def test_an_app_is_the_same_however_its_name_is_padded() -> None:
    assert registration(app_name=" sales ").applied(a_session(), LATER) == a_session().seen(LATER)


def test_an_id_belongs_to_one_app() -> None:
    with pytest.raises(SessionOfAnotherApp) as raised:
        registration(app_name="stock").applied(a_session(), NOON)

    assert (raised.value.session_id, raised.value.app_name) == (session_id(), "sales")


def test_an_id_that_has_ended_is_not_registered_again() -> None:
    with pytest.raises(SessionEnded):
        registration().applied(a_session().ended(NOON), LATER)


@pytest.mark.parametrize(
    ("field", "value"),
    [("app_name", ""), ("user_id", "\0"), ("age", -1.0), ("age", nan), ("age", TEN_YEARS + 1.0)],
)
@pytest.mark.parametrize("session", [None, a_session()])
def test_a_registration_keeps_the_rules(field: str, value: object, session: Any) -> None:
    with pytest.raises(InvalidField) as raised:
        registration(**{field: value}).applied(session, NOON)

    assert raised.value.field == field


# Activity


def test_activity_sets_the_task_and_counts_as_a_heartbeat() -> None:
    working = running(task="Loading", progress=0.5, age=7.0).applied(a_session(), LATER)

    started = LATER - seconds(7)
    assert working.task == Task(name="Loading", started_at=started, progress=0.5)
    assert working.last_heartbeat == LATER


def test_activity_without_an_age_goes_on_with_the_same_task() -> None:
    session = a_session(task=a_task())

    working = running(task="Loading data", progress=0.75).applied(session, LATER)

    assert working.task == a_task(progress=0.75)


def test_work_needs_no_name() -> None:
    assert running().applied(a_session(), NOON).task == Task(name=None, started_at=NOON)


def test_rest_clears_the_task_whatever_else_it_says() -> None:
    idle = Activity(session_id=session_id(), running=False, task="Loading", progress=0.9, age=1.0)

    assert idle.applied(a_session(task=a_task()), LATER) == a_session().seen(LATER)


@pytest.mark.parametrize(
    ("field", "value"),
    [("task", ""), ("progress", nan), ("progress", 1.1), ("age", -0.1), ("age", inf)],
)
@pytest.mark.parametrize("works", [True, False])
def test_activity_keeps_the_rules(works: bool, field: str, value: object) -> None:
    with pytest.raises(InvalidField) as raised:
        running(**{"running": works, field: value}).applied(a_session(), NOON)

    assert raised.value.field == field


# Steps of a kill


@pytest.mark.parametrize(
    ("state", "times"),
    [
        (KillState.DELIVERED, {"delivered_at": LATER}),
        (KillState.ACKNOWLEDGED, {"delivered_at": LATER, "acknowledged_at": LATER}),
    ],
)
def test_a_step_is_noted_with_its_time(state: KillState, times: dict[str, Any]) -> None:
    session = a_session(kill=a_kill())

    assert step(state).applied(session, LATER) == a_session(kill=a_kill(**times))


@pytest.mark.parametrize("state", [KillState.DELIVERED, KillState.ACKNOWLEDGED])
@pytest.mark.parametrize("kill", [None, a_kill(2)])
def test_a_step_of_a_foreign_kill_changes_nothing(state: KillState, kill: Any) -> None:
    session = a_session(kill=kill)

    assert step(state).applied(session, LATER) is session


@pytest.mark.parametrize("state", [KillState.REQUESTED, KillState.ENDED, KillState.EXPIRED])
def test_a_process_reports_only_what_it_does_itself(state: KillState) -> None:
    with pytest.raises(InvalidField) as raised:
        step(state).applied(a_session(kill=a_kill()), LATER)

    assert raised.value.field == "state"


def test_a_step_after_the_end_is_told_that_the_session_has_ended() -> None:
    over = a_session(kill=a_kill()).ended(NOON)

    with pytest.raises(SessionEnded):
        step(KillState.ACKNOWLEDGED).applied(over, LATER)


def test_a_step_that_is_told_late_does_not_lead_back() -> None:
    session = a_session(kill=a_kill(delivered_at=NOON, acknowledged_at=NOON))

    assert step(KillState.DELIVERED).applied(session, LATER) == session


# Endings


@pytest.mark.parametrize("reason", [EndReason.CLOSED, EndReason.KILLED])
def test_an_ending_ends_the_session_for_its_reason(reason: EndReason) -> None:
    over = Ending(session_id=session_id(), reason=reason).applied(a_session(), LATER)

    assert over == a_session().ended(LATER, reason)


def test_an_ending_told_again_changes_nothing() -> None:
    over = a_session().ended(NOON)

    assert Ending(session_id=session_id()).applied(over, LATER) is over


def test_no_process_says_that_its_session_has_expired() -> None:
    with pytest.raises(InvalidField) as raised:
        Ending(session_id=session_id(), reason=EndReason.EXPIRED).applied(a_session(), LATER)

    assert raised.value.field == "reason"


@pytest.mark.parametrize(
    "news", [running(), step(KillState.DELIVERED), Ending(session_id=session_id())]
)
def test_news_of_an_unknown_session_is_not_taken(news: News) -> None:
    with pytest.raises(SessionNotFound) as raised:
        news.applied(None, NOON)

    assert raised.value.session_id == session_id()


# Who may speak


def test_a_known_session_is_returned() -> None:
    session = a_session()

    assert known(session, session_id()) is session


@pytest.mark.parametrize(
    "session", [None, a_session(), a_session(process=a_process(1)), a_session().ended(NOON)]
)
def test_a_process_speaks_for_its_own_sessions_and_those_of_none(session: Any) -> None:
    require_served_by(session, a_process(1))


def test_a_process_is_the_same_wherever_it_says_it_runs() -> None:
    require_served_by(a_session(process=a_process(1, host="old")), a_process(1, host="new"))


def test_a_process_does_not_speak_for_the_sessions_of_another() -> None:
    with pytest.raises(SessionOfAnotherProcess) as raised:
        require_served_by(a_session(process=a_process(1)), a_process(2))

    assert raised.value.session_id == session_id()
