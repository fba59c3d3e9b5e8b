from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from panel_session_monitor.adapters.dashboard.mirror import Mirror, Touched
from panel_session_monitor.adapters.dashboard.view import Query, View
from panel_session_monitor.domain.change import Changed, Heard
from panel_session_monitor.domain.ids import SessionId
from panel_session_monitor.domain.session import Session
from panel_session_monitor.domain.staleness import Status

from ..fakes.clock import NOON, SettableClock
from ..fakes.examples import a_process, a_session, a_task, ago, seconds, session_id


def a_view(*sessions: Session, most_shown: int = 100, **query: Any) -> tuple[View, Mirror]:
    mirror = Mirror(clock=SettableClock())
    for session in sessions:
        mirror.apply(Changed(session=session))
    return View(mirror=mirror, most_shown=most_shown, query=Query(**query)), mirror


def change(view: View, mirror: Mirror, *sessions: Session) -> None:
    for session in sessions:
        view.notice(mirror.apply(Changed(session=session)))


@pytest.mark.parametrize(
    "text", ["SALES", "ada", "load", "node-a", "4711", "ada sales", "  ", "STRASSE"]
)
def test_a_search_looks_for_every_word_in_all_fields(text: str) -> None:
    session = a_session(user_id="Ada Straße", process=a_process(), task=a_task(), app_name="Sales")

    assert a_view(session, text=text)[0].matches == 1


@pytest.mark.parametrize("text", ["grace", "ada risk", "salesada"])
def test_what_is_nowhere_is_not_found(text: str) -> None:
    view, _ = a_view(a_session(user_id="ada"), text=text)

    assert (view.matches, view.delta().put) == (0, [])


def test_counts_are_of_all_that_match_but_for_their_status() -> None:
    view, _ = a_view(
        a_session(1),
        a_session(2, task=a_task()),
        a_session(3, task=a_task()),
        a_session(4, app_name="risk"),
        app_name="sales",
        statuses=frozenset({Status.RUNNING}),
    )

    assert view.matches == 2
    assert view.counts == {Status.IDLE: 1, Status.RUNNING: 2}


def test_the_newest_matches_are_shown() -> None:
    view, mirror = a_view(
        *(a_session(each, started_at=ago(each)) for each in range(1, 6)), most_shown=3
    )
    assert set(view.delta().put) == {session_id(1), session_id(2), session_id(3)}
    assert view.matches == 5

    change(view, mirror, a_session(9, started_at=NOON))

    delta = view.delta()
    assert (delta.put, delta.gone) == ([session_id(9)], [session_id(3)])


def test_the_next_one_moves_up_when_one_ends() -> None:
    view, mirror = a_view(
        *(a_session(each, started_at=ago(each)) for each in range(1, 4)), most_shown=2
    )
    view.delta()

    change(view, mirror, a_session(1).ended(NOON))

    delta = view.delta()
    assert (delta.put, delta.gone) == ([session_id(3)], [session_id(1)])


def test_a_delta_has_nothing_but_what_has_changed() -> None:
    view, mirror = a_view(a_session(1), a_session(2), a_session(3))
    view.delta()

    change(view, mirror, a_session(2, task=a_task()))
    view.notice(mirror.apply(Heard(at=NOON + seconds(1), session_ids=(session_id(3),))))

    delta = view.delta()
    assert (delta.put, delta.heard, delta.gone) == ([session_id(2)], [session_id(3)], [])
    after = view.delta()
    assert (after.put, after.heard, after.gone) == ([], [], [])


def test_a_session_leaves_when_it_matches_no_more() -> None:
    view, mirror = a_view(a_session(1, task=a_task()), statuses=frozenset({Status.RUNNING}))
    view.delta()

    change(view, mirror, a_session(1))

    assert view.delta().gone == [session_id(1)]
    assert view.counts[Status.IDLE] == 1


def test_another_search_shows_others() -> None:
    view, _ = a_view(a_session(1), a_session(2, app_name="risk"))
    view.delta()

    view.search(Query(app_name="risk"))

    delta = view.delta()
    assert (delta.put, delta.gone) == ([], [session_id(1)])


def test_a_table_that_begins_anew_is_given_everything() -> None:
    view, _ = a_view(a_session(1))
    view.delta()

    view.restart()

    assert view.delta().put == [session_id(1)]


CHANGES = st.lists(st.tuples(st.integers(1, 8), st.integers(0, 3), st.booleans(), st.booleans()))


@given(changes=CHANGES, running=st.booleans())
def test_however_it_changes_it_is_as_if_searched_anew(
    changes: list[tuple[int, int, bool, bool]], *, running: bool
) -> None:
    statuses = frozenset({Status.RUNNING}) if running else frozenset[Status]()
    view, mirror = a_view(most_shown=3, text="sales", statuses=statuses)
    table: set[SessionId] = set()

    for number, age, works, ends in changes:
        app = "sales" if number % 3 else "risk"
        session = a_session(
            number, app_name=app, started_at=ago(age), task=a_task() if works else None
        )
        view.notice(mirror.apply(Changed(session=session.ended(NOON) if ends else session)))
        delta = view.delta()
        table = (table - set(delta.gone)) | set(delta.put)

    anew = View(mirror=mirror, most_shown=3, query=view.query)
    assert table == set(anew.delta().put)
    assert view.matches == anew.matches
    assert +view.counts == +Counter(anew.counts)


def test_nothing_touched_changes_nothing() -> None:
    view, _ = a_view(a_session(1))
    view.delta()

    view.notice(Touched(changed={session_id(7)}))

    assert (view.delta().put, view.matches) == ([], 1)
