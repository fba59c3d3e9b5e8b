"""Sessions and their transitions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from panel_session_monitor.domain.errors import Gone, InvalidField, SessionEnded
from panel_session_monitor.domain.kill import KillState
from panel_session_monitor.domain.session import End, EndReason, Process, Session
from panel_session_monitor.domain.task import Task

from ...fakes.clock import NOON
from ...fakes.examples import MICROSECOND, a_kill, a_process, a_session, a_task, ago, seconds

LATER = NOON + seconds(30)


def test_a_heartbeat_is_noted() -> None:
    assert a_session().seen(LATER) == a_session(last_heartbeat=LATER)


def test_a_heartbeat_that_comes_late_does_not_turn_time_back() -> None:
    assert a_session().seen(ago(1)) == a_session()


def test_work_begins_now_if_it_says_nothing_else() -> None:
    working = a_session().working("Loading", LATER, progress=0.5)

    assert working.task == Task(name="Loading", started_at=LATER, progress=0.5)
    assert working.last_heartbeat == LATER


def test_work_may_have_begun_before() -> None:
    working = a_session().working("Loading", LATER, started_at=ago(7))

    assert working.task == Task(name="Loading", started_at=ago(7))


@pytest.mark.parametrize("name", ["Loading", None])
def test_the_same_work_goes_on_from_its_own_start(name: str | None) -> None:
    working = a_session().working(name, NOON, progress=0.1)

    going_on = working.working(name, LATER, progress=0.6)

    assert going_on.task == Task(name=name, started_at=NOON, progress=0.6)


def test_the_same_work_goes_on_also_where_its_name_is_not_trimmed() -> None:
    working = a_session().working(" Loading ", NOON)

    going_on = working.working(" Loading ", LATER)

    assert going_on.task == Task(name="Loading", started_at=NOON)


@pytest.mark.parametrize(("first", "second"), [("Loading", "Saving"), ("Loading", None)])
def test_other_work_begins_anew(first: str | None, second: str | None) -> None:
    working = a_session().working(first, NOON, progress=0.9)

    other = working.working(second, LATER)

    assert other.task == Task(name=second, started_at=LATER)


def test_work_ends_in_rest() -> None:
    resting = a_session(task=a_task()).resting(LATER)

    assert resting == a_session(task=None, last_heartbeat=LATER)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("task", lambda session: session.working("", NOON)),
        ("task", lambda session: session.working("x" * 201, NOON)),
        ("progress", lambda session: session.working("Loading", NOON, progress=1.1)),
    ],
)
def test_work_keeps_the_rules_of_tasks(field: str, change: Callable[[Session], Session]) -> None:
    with pytest.raises(InvalidField) as raised:
        change(a_session())

    assert raised.value.field == field


def test_the_first_order_stands() -> None:
    ordered = a_session().ordered(a_kill(1))

    assert ordered.kill == a_kill(1)
    assert ordered.ordered(a_kill(2)).kill == a_kill(1)


def test_an_order_is_no_heartbeat() -> None:
    assert a_session().ordered(a_kill(requested_at=LATER)).last_heartbeat == NOON


@pytest.mark.parametrize(
    ("kill", "reason"), [(None, EndReason.CLOSED), (a_kill(), EndReason.KILLED)]
)
def test_a_session_that_gives_no_reason_ended_as_it_was_told(kill: Any, reason: EndReason) -> None:
    assert a_session(kill=kill).ended(LATER).end == End(at=LATER, reason=reason)


@pytest.mark.parametrize("reason", EndReason)
@pytest.mark.parametrize("kill", [None, a_kill()])
def test_a_reason_that_is_given_counts(reason: EndReason, kill: Any) -> None:
    assert a_session(kill=kill).ended(LATER, reason).end == End(at=LATER, reason=reason)


def test_at_its_end_a_session_rests_and_its_kill_is_over() -> None:
    over = a_session(task=a_task(), kill=a_kill(delivered_at=NOON)).ended(LATER)

    assert over.task is None
    assert over.kill == a_kill(delivered_at=NOON, ended_at=LATER)
    assert over.last_heartbeat == NOON


@pytest.mark.parametrize("reason", [None, *EndReason])
def test_a_session_ends_once(reason: EndReason | None) -> None:
    over = a_session(kill=a_kill()).ended(NOON)

    assert over.ended(LATER, reason) is over
    assert over.expired(LATER) is over


def test_a_kill_that_meets_a_natural_end_changes_nothing_any_more() -> None:
    closed = a_session().ended(NOON, EndReason.CLOSED)

    with pytest.raises(SessionEnded):
        closed.ordered(a_kill())

    assert closed.kill is None


def test_a_natural_end_that_meets_a_kill_ends_the_kill_too() -> None:
    closed = a_session().ordered(a_kill()).ended(LATER, EndReason.CLOSED)

    assert closed.end == End(at=LATER, reason=EndReason.CLOSED)
    assert closed.kill
    assert closed.kill.state is KillState.ENDED


def test_a_session_that_expires_says_so() -> None:
    over = a_session(task=a_task()).expired(LATER)

    assert over.end == End(at=LATER, reason=EndReason.EXPIRED)
    assert (over.task, over.kill) == (None, None)


def test_a_kill_expires_with_its_session() -> None:
    over = a_session(kill=a_kill(delivered_at=NOON)).expired(LATER)

    assert over.end == End(at=LATER, reason=EndReason.EXPIRED)
    assert over.kill == a_kill(delivered_at=NOON, expired_at=LATER)


TRANSITIONS: dict[str, Callable[[Session], Session]] = {
    "seen": lambda session: session.seen(LATER),
    "working": lambda session: session.working("Loading", LATER),
    "resting": lambda session: session.resting(LATER),
    "ordered": lambda session: session.ordered(a_kill(2)),
    "reported": lambda session: session.reported(a_kill(delivered_at=LATER)),
}


@pytest.mark.parametrize("change", TRANSITIONS.values(), ids=TRANSITIONS)
@pytest.mark.parametrize("reason", EndReason)
def test_a_session_does_not_come_back(
    reason: EndReason, change: Callable[[Session], Session]
) -> None:
    over = a_session(kill=a_kill()).ended(NOON, reason)

    with pytest.raises(Gone) as raised:
        change(over)

    assert isinstance(raised.value, SessionEnded)
    assert raised.value.session_id == over.session_id


@given(st.lists(st.sampled_from([*sorted(TRANSITIONS), "ended", "expired"]), max_size=10))
def test_whatever_happens_a_session_stays_itself_and_its_first_end_stands(
    steps: list[str],
) -> None:
    session = first = a_session(process=a_process(), user_id="ada")
    ends = {"ended": Session.ended, "expired": Session.expired}
    end = None
    for number, step in enumerate(steps):
        if step in ends:
            session = ends[step](session, NOON + seconds(number))
            end = end or session.end
        elif end is None:
            session = TRANSITIONS[step](session)

    assert session.end == end
    unchanged = ("session_id", "app_name", "user_id", "process", "started_at")
    assert [getattr(session, each) for each in unchanged] == [
        getattr(first, each) for each in unchanged
    ]


def test_names_are_trimmed() -> None:
    session = a_session(app_name=" sales ", user_id="\tada\n")

    assert (session.app_name, session.user_id) == ("sales", "ada")


@pytest.mark.parametrize("field", ["app_name", "user_id"])
@pytest.mark.parametrize("text", ["", "  ", "x" * 201, "a\nb", "\0", "\udc80"])
def test_names_keep_their_rule(field: str, text: str) -> None:
    with pytest.raises(InvalidField) as raised:
        a_session(**{field: text})

    assert raised.value.field == field


def test_a_session_that_is_changed_is_another_value() -> None:
    session = a_session()

    later = session.seen(NOON + MICROSECOND)

    assert later != session
    assert session == a_session()


@pytest.mark.parametrize("host", ["", "x" * 201, "node\0"])
def test_the_name_of_a_host_keeps_the_rule_of_names(host: str) -> None:
    with pytest.raises(InvalidField) as raised:
        a_process(host=host)

    assert raised.value.field == "host"


def test_of_a_process_only_its_id_must_be_known() -> None:
    process = Process(process_id=a_process().process_id)

    assert (process.host, process.pid) == (None, None)
    assert replace(process, host=" node-a ", pid=4711) == a_process()
