from panel_session_monitor.adapters.dashboard.rows import milliseconds
from panel_session_monitor.adapters.dashboard.story import UNNAMED, kill_steps, tasks
from panel_session_monitor.domain.event import EventKind, SessionEvent
from panel_session_monitor.domain.session import Session
from panel_session_monitor.domain.staleness import Observation, StalenessPolicy

from ..fakes.clock import NOON
from ..fakes.examples import a_kill, a_session, a_task, ago, session_id


def seen(session: Session) -> Observation:
    return StalenessPolicy().observe(session, NOON)


def event(kind: EventKind, seconds: float, text: str | None = "Load") -> SessionEvent:
    return SessionEvent(session_id=session_id(), at=ago(seconds), kind=kind, text=text)


STARTED, ENDED = EventKind.TASK_STARTED, EventKind.TASK_ENDED


def test_tasks_become_bars_from_their_start_to_their_end() -> None:
    events = [event(STARTED, 90), event(ENDED, 60), event(STARTED, 60, None)]

    told = tasks(events, seen(a_session(task=a_task())))

    assert told == {
        "bars": [
            ["Load", milliseconds(ago(90)), milliseconds(ago(60))],
            [UNNAMED, milliseconds(ago(60)), None],
        ],
        "begin": milliseconds(ago(3600)),
        "end": None,
    }


def test_a_session_s_end_is_that_of_its_last_task() -> None:
    ended = a_session().ended(ago(10))

    told = tasks([event(STARTED, 90)], seen(ended))

    assert told["bars"] == [["Load", milliseconds(ago(90)), milliseconds(ago(10))]]
    assert told["end"] == milliseconds(ago(10))


def test_a_kill_s_steps_are_those_it_has_reached() -> None:
    kill = a_kill(reason="Noon", requested_by="ada").delivered(NOON)

    names = [name for name, *_ in kill_steps(seen(a_session(kill=kill)))]

    assert names == ["requested by ada: Noon", "delivered: the process has the order"]


def test_a_late_kill_says_what_to_do() -> None:
    late = a_kill(requested_at=ago(11))

    assert "has not taken the order" in str(kill_steps(seen(a_session(kill=late)))[-1])


def test_without_a_kill_there_are_no_steps() -> None:
    assert kill_steps(seen(a_session())) == []
