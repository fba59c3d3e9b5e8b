from panel_session_monitor.adapters.dashboard.followed import GONE, Followed
from panel_session_monitor.adapters.dashboard.mirror import Mirror
from panel_session_monitor.application.operator_ports import Look
from panel_session_monitor.domain.change import Changed
from panel_session_monitor.domain.kill import Kill
from panel_session_monitor.domain.session import Session

from ..fakes.clock import NOON, SettableClock
from ..fakes.examples import a_kill, a_session, ago


def followed(*sessions: Session) -> tuple[Followed, Mirror]:
    mirror = Mirror(clock=SettableClock())
    kills = Followed(mirror=mirror)
    for session in sessions:
        mirror.apply(Changed(session=session))
    kills.follow(sessions)
    return kills, mirror


def states(kills: Followed) -> list[str]:
    return [step.state for step in kills.steps()]


def test_a_kill_is_requested_though_the_change_has_not_come_yet() -> None:
    kills, _ = followed(a_session(1))

    assert states(kills) == ["requested"]


def test_a_kill_is_followed_step_by_step_to_its_end() -> None:
    kills, mirror = followed(a_session(1))
    steps: list[Kill] = [a_kill(), a_kill().delivered(NOON), a_kill().acknowledged(NOON)]
    seen = []

    for kill in steps:
        mirror.apply(Changed(session=a_session(1, kill=kill)))
        seen += states(kills)
    mirror.apply(Changed(session=a_session(1, kill=steps[-1]).ended(NOON)))

    assert [*seen, *states(kills)] == ["requested", "delivered", "acknowledged", "ended"]


def test_the_overdue_come_first_and_say_what_to_do() -> None:
    late = a_kill(requested_at=ago(60))
    kills, _ = followed(a_session(1, kill=a_kill()), a_session(2, kill=late))

    first, second = kills.steps()

    assert (first.overdue, second.overdue) == (True, False)
    assert "has not taken the order" in first.remedy
    assert Followed.summary([first, second]) == "1 overdue, 1 requested"


def test_a_session_that_left_unseen_is_gone() -> None:
    kills, mirror = followed(a_session(1, kill=a_kill()))

    mirror.take(Look(sessions=[], drains=[], at=NOON, position="0"))

    assert states(kills) == [GONE]


def test_what_is_forgotten_is_followed_no_more() -> None:
    kills, _ = followed(a_session(1))

    kills.forget()

    assert not kills
