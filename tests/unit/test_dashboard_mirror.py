from collections.abc import Sequence

from panel_session_monitor.adapters.dashboard.mirror import REMEMBERED, Mirror, Touched
from panel_session_monitor.application.operator_ports import Look
from panel_session_monitor.domain.change import Changed, DrainChanged, Heard
from panel_session_monitor.domain.drain import Drain
from panel_session_monitor.domain.ids import DrainId
from panel_session_monitor.domain.session import Session
from panel_session_monitor.domain.staleness import Observation, Status

from ..fakes.clock import NOON, SettableClock
from ..fakes.examples import a_kill, a_process, a_session, a_task, ago, seconds, session_id

DRAIN = Drain(drain_id=DrainId(session_id(9)), app_name="sales", started_at=NOON)


def looked(*sessions: Session, drains: Sequence[Drain] = ()) -> Look:
    seen = [Observation(session=each, status=Status.IDLE, at=NOON) for each in sessions]
    return Look(sessions=seen, drains=drains, at=NOON, position="0")


def a_mirror(*sessions: Session) -> tuple[Mirror, SettableClock]:
    clock = SettableClock()
    mirror = Mirror(clock=clock)
    mirror.take(looked(*sessions))
    return mirror, clock


def counts(mirror: Mirror, app_name: str = "sales") -> dict[Status, int]:
    return {status: number for status, number in mirror.apps[app_name].statuses.items() if number}


def test_a_look_is_taken_in_with_its_counts() -> None:
    mirror, _ = a_mirror(
        a_session(1, user_id="ada"),
        a_session(2, user_id="ada", task=a_task()),
        a_session(3, last_heartbeat=ago(120)),
    )

    assert counts(mirror) == {Status.IDLE: 1, Status.RUNNING: 1, Status.STALE: 1}
    assert mirror.apps["sales"].users == {"ada": 2}
    assert mirror.apps["sales"].tasks == {"Loading data": 1}


def test_a_second_look_touches_what_is_there_and_what_was() -> None:
    mirror, _ = a_mirror(a_session(1), a_session(2))

    touched = mirror.take(looked(a_session(2), a_session(3)))

    assert touched.changed == {session_id(1), session_id(2), session_id(3)}
    assert set(mirror.sessions) == {session_id(2), session_id(3)}
    assert counts(mirror) == {Status.IDLE: 2}


def test_a_change_counts_the_session_anew() -> None:
    mirror, _ = a_mirror(a_session(1))

    touched = mirror.apply(Changed(session=a_session(1, task=a_task(), app_name="risk")))

    assert touched == Touched(changed={session_id(1)})
    assert counts(mirror, "risk") == {Status.RUNNING: 1}
    assert "sales" not in mirror.apps


def test_a_session_that_ends_is_remembered_but_live_no_more() -> None:
    mirror, _ = a_mirror(a_session(1))
    ended = a_session(1, kill=a_kill()).ended(NOON)

    mirror.apply(Changed(session=ended))

    assert (mirror.sessions, mirror.statuses, mirror.texts, mirror.apps) == ({}, {}, {}, {})
    assert mirror.departed == {session_id(1): ended}


def test_no_more_than_so_many_of_the_ended_are_remembered() -> None:
    mirror, _ = a_mirror()

    for number in range(1, REMEMBERED + 3):
        mirror.apply(Changed(session=a_session(number).ended(NOON)))

    assert len(mirror.departed) == REMEMBERED
    assert session_id(2) not in mirror.departed


def test_a_heartbeat_of_a_process_is_one_of_all_its_sessions() -> None:
    mine, other = a_session(1, process=a_process(1)), a_session(2, process=a_process(2))
    mirror, _ = a_mirror(mine, other, a_session(3))
    later = NOON + seconds(30)

    touched = mirror.apply(
        Heard(
            at=later,
            process_ids=(a_process(1).process_id,),
            session_ids=(session_id(3), session_id(8)),
        )
    )

    assert touched == Touched(heard={session_id(1), session_id(3)})
    heard = {key for key, session in mirror.sessions.items() if session.last_heartbeat == later}
    assert heard == {session_id(1), session_id(3)}


def test_a_stale_session_that_is_heard_of_again_has_changed() -> None:
    mirror, clock = a_mirror(a_session(1))
    clock.advance(120)
    mirror.judge()

    touched = mirror.apply(Heard(at=NOON + seconds(120), session_ids=(session_id(1),)))

    assert touched == Touched(changed={session_id(1)})
    assert counts(mirror) == {Status.IDLE: 1}


def test_silence_is_judged_by_the_server_s_clock() -> None:
    mirror, clock = a_mirror(a_session(1), a_session(2, last_heartbeat=NOON + seconds(1)))
    clock.time -= seconds(5000)  # this machine's clock is wrong, and is set
    clock.elapsed += 119.9
    assert mirror.judge() == Touched()

    clock.elapsed += 0.1

    assert mirror.judge() == Touched(changed={session_id(1)})
    assert counts(mirror) == {Status.IDLE: 1, Status.STALE: 1}
    assert mirror.now() == NOON + seconds(120)


def test_a_kill_that_waits_is_looked_at_again_and_again() -> None:
    mirror, _ = a_mirror(a_session(1, kill=a_kill()), a_session(2))

    assert mirror.judge() == Touched(changed={session_id(1)})


def test_drains_come_and_go() -> None:
    mirror, _ = a_mirror()

    mirror.apply(DrainChanged(app_name="sales", drain=DRAIN))
    assert mirror.drains == {"sales": DRAIN}
    mirror.apply(DrainChanged(app_name="sales", drain=None))
    mirror.apply(DrainChanged(app_name="sales", drain=None))

    assert mirror.drains == {}


def test_a_look_brings_the_drains_that_are() -> None:
    mirror, _ = a_mirror()

    mirror.take(looked(drains=[DRAIN]))

    assert mirror.drains == {"sales": DRAIN}
