import numpy as np
import pytest
from panel_session_monitor.adapters.dashboard.rows import (
    NONE,
    changed,
    columns,
    counts,
    kill_state,
    span,
)
from panel_session_monitor.domain.session import Session
from panel_session_monitor.domain.staleness import Observation, StalenessPolicy

from ..fakes.clock import NOON
from ..fakes.examples import a_kill, a_process, a_session, a_task, ago, seconds, session_id


def seen(session: Session, after: float = 0) -> Observation:
    return StalenessPolicy().observe(session, NOON + seconds(after))


def test_a_session_becomes_a_row() -> None:
    session = a_session(user_id="ada", process=a_process(), task=a_task())

    row = {name: column.tolist()[0] for name, column in columns([seen(session, after=9.9)]).items()}

    assert row == {
        "Status": "running",
        "App": "sales",
        "User": "ada",
        "Task": "Loading data",
        "Progress": 0.25,
        "Task time": 69,
        "Session time": 3609,
        "Last heartbeat": 9,
        "Kill": str(session_id()),
        "Kill state": "",
        "Started": ago(3600).replace(tzinfo=None),
        "Host": "node-a",
        "PID": "4711",
        "Session": str(session_id()),
    }


def test_what_is_absent_is_a_dash_or_no_number() -> None:
    table = columns([seen(a_session())])

    assert {table[name][0] for name in ("User", "Task", "Host", "PID")} == {NONE}
    assert np.isnan(table["Progress"][0])
    assert np.isnan(table["Task time"][0])


def test_no_column_changes_its_type_with_the_sessions() -> None:
    bare, full = a_session(), a_session(2, user_id="ada", process=a_process(), task=a_task())

    kinds = [
        {name: column.dtype for name, column in columns(sessions).items()}
        for sessions in ([], [seen(bare)], [seen(full)], [seen(bare), seen(full)])
    ]

    assert all(each == kinds[0] for each in kinds)


def test_a_session_whose_kill_is_ordered_cannot_be_clicked() -> None:
    table = columns([seen(a_session(kill=a_kill()))])

    assert table["Kill"].tolist() == [""]


@pytest.mark.parametrize(
    ("after", "state"), [(0, "requested"), (9.9, "requested"), (10, "requested · overdue")]
)
def test_a_late_kill_is_called_overdue(after: float, state: str) -> None:
    assert kill_state(seen(a_session(kill=a_kill()), after)) == state


def test_a_kill_is_shown_with_the_step_it_has_reached() -> None:
    delivered = a_kill().delivered(NOON)

    assert kill_state(seen(a_session(kill=delivered))) == "delivered"
    assert kill_state(seen(a_session(kill=delivered.acknowledged(NOON)))) == "acknowledged"
    assert kill_state(seen(a_session())) == ""


def test_time_alone_changes_only_the_spans() -> None:
    session = a_session(task=a_task(progress=None))

    later = changed(columns([seen(session)]), columns([seen(session, after=2)]))

    assert later == ["Task time", "Session time", "Last heartbeat"]


def test_a_session_more_changes_the_ids() -> None:
    one, two = seen(a_session(1)), seen(a_session(2))

    assert "Session" in changed(columns([one]), columns([one, two]))


def test_columns_are_shared_and_so_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        columns([seen(a_session())])["User"][0] = "eve"


def test_sessions_are_counted_by_status_and_app() -> None:
    sessions = [a_session(1), a_session(2, task=a_task()), a_session(3, last_heartbeat=ago(120))]

    assert counts([seen(session) for session in sessions]) == {
        "all": 3,
        "apps": 1,
        "idle": 1,
        "running": 1,
        "stale": 1,
    }


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
