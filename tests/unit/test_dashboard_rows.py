from typing import Any

import pytest
from panel_session_monitor.adapters.dashboard.rows import SCHEMA, columns, milliseconds
from panel_session_monitor.adapters.dashboard.words import NONE, span
from panel_session_monitor.domain.session import Session
from panel_session_monitor.domain.staleness import Observation, StalenessPolicy

from ..fakes.clock import NOON
from ..fakes.examples import a_kill, a_process, a_session, a_task, ago, seconds, session_id


def seen(session: Session, after: float = 0) -> Observation:
    return StalenessPolicy().observe(session, NOON + seconds(after))


def row(session: Session, after: float = 0) -> dict[str, Any]:
    return {name: values[0] for name, values in columns([seen(session, after)]).items()}


def test_a_session_becomes_a_row() -> None:
    session = a_session(user_id="ada", process=a_process(), task=a_task())

    assert row(session, after=9.9) == {
        "Select": str(session_id()),
        "Session": str(session_id()),
        "Status": "running",
        "App": "sales",
        "User": "ada",
        "Task": "Loading data",
        "Progress": 0.25,
        "Task time": milliseconds(ago(60)),
        "Session time": milliseconds(ago(3600)),
        "Last heartbeat": milliseconds(NOON),
        "Kill": str(session_id()),
        "Process": "node-a:4711",
        "Started": milliseconds(ago(3600)),
    }


def test_what_is_absent_is_a_dash_or_no_number() -> None:
    bare = row(a_session())

    assert {bare[name] for name in ("User", "Task", "Process")} == {NONE}
    assert (bare["Progress"], bare["Task time"]) == (None, None)


def test_without_sessions_there_are_all_columns_and_no_rows() -> None:
    assert columns([]) == {name: [] for name in SCHEMA}


@pytest.mark.parametrize(
    ("after", "state"), [(0, "requested"), (9.9, "requested"), (10, "requested · overdue")]
)
def test_in_the_place_of_the_button_stands_how_far_the_kill_is(after: float, state: str) -> None:
    assert row(a_session(kill=a_kill()), after)["Kill"] == state


def test_a_kill_is_shown_with_the_step_it_has_reached() -> None:
    delivered = a_kill().delivered(NOON)

    assert row(a_session(kill=delivered))["Kill"] == "delivered"
    assert row(a_session(kill=delivered.acknowledged(NOON)))["Kill"] == "acknowledged"


def test_time_alone_changes_nothing_in_a_row() -> None:
    session = a_session(task=a_task(progress=None))

    assert row(session) == row(session, after=2)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (86_399, "23 h 59 min"),
        (176_461, "2 d 1 h"),
    ],
)
def test_a_span_has_its_two_greatest_units(number: float, words: str) -> None:
    assert span(number) == words
