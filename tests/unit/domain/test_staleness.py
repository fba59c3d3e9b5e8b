"""What silence means."""

from typing import Any

import pytest
from panel_session_monitor.domain.session import EndReason
from panel_session_monitor.domain.staleness import StalenessPolicy, Status

from ...fakes.clock import NOON
from ...fakes.examples import MICROSECOND, a_session, a_task, ago, seconds

POLICY = StalenessPolicy()


@pytest.mark.parametrize("task", [None, a_task()])
@pytest.mark.parametrize(
    ("silence", "stale", "expired"),
    [
        (-5, False, False),
        (0, False, False),
        (119, False, False),
        (119.9, False, False),
        (120, True, False),
        (121, True, False),
        (599.9, True, False),
        (600, True, True),
        (86_400, True, True),
    ],
)
def test_a_session_is_stale_after_two_minutes_and_expired_after_ten(
    silence: float, stale: bool, expired: bool, task: Any
) -> None:
    session = a_session(last_heartbeat=ago(silence), task=task)

    alive = Status.RUNNING if task else Status.IDLE
    assert POLICY.judge(session, NOON) is (Status.STALE if stale else alive)
    assert (session.last_heartbeat <= POLICY.stale_since(NOON)) is stale
    assert (session.last_heartbeat <= POLICY.expired_since(NOON)) is expired


def test_the_border_is_exact_to_the_microsecond() -> None:
    almost = a_session(last_heartbeat=ago(120) + MICROSECOND)

    assert POLICY.judge(almost, NOON) is Status.IDLE
    assert POLICY.judge(almost, NOON + MICROSECOND) is Status.STALE


def test_a_session_comes_back_from_silence_with_its_next_heartbeat() -> None:
    stale = a_session(last_heartbeat=ago(500), task=a_task())

    assert POLICY.judge(stale, NOON) is Status.STALE
    assert POLICY.judge(stale.seen(NOON), NOON) is Status.RUNNING


@pytest.mark.parametrize("silence", [0, 120, 600])
@pytest.mark.parametrize("reason", EndReason)
def test_what_has_ended_is_never_stale(silence: float, reason: EndReason) -> None:
    over = a_session(last_heartbeat=ago(silence)).ended(NOON, reason)

    assert POLICY.judge(over, NOON) is Status.ENDED


def test_both_spans_can_be_set() -> None:
    policy = StalenessPolicy(stale_after=seconds(3), expire_after=seconds(5))

    assert policy.judge(a_session(last_heartbeat=ago(2.9)), NOON) is Status.IDLE
    assert policy.judge(a_session(last_heartbeat=ago(3)), NOON) is Status.STALE
    assert policy.expired_since(NOON) == ago(5)


def test_spans_are_told_in_seconds() -> None:
    session = a_session(
        started_at=ago(90.5), last_heartbeat=ago(1.25), task=a_task(started_at=ago(60))
    )

    seen = POLICY.observe(session, NOON)

    assert seen.seconds_since_heartbeat == 1.25
    assert seen.duration_seconds == 90.5
    assert seen.task_seconds == 60
    assert (seen.session, seen.at, seen.status) == (session, NOON, Status.RUNNING)


def test_without_a_task_there_is_no_span_of_one() -> None:
    assert POLICY.observe(a_session(), NOON).task_seconds is None


def test_no_span_is_negative_where_clocks_disagree() -> None:
    ahead = NOON + seconds(3)
    session = a_session(started_at=ahead, last_heartbeat=ahead, task=a_task(started_at=ahead))

    seen = POLICY.observe(session, NOON)

    spans = (seen.seconds_since_heartbeat, seen.duration_seconds, seen.task_seconds)
    assert spans == (0, 0, 0)


def test_an_ended_session_does_not_grow_older() -> None:
    over = a_session(started_at=ago(100)).ended(ago(40))

    seen = POLICY.observe(over, NOON)

    assert seen.duration_seconds == 60
    assert seen.status is Status.ENDED
