"""Kills and their steps."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from panel_session_monitor.domain.errors import InvalidField
from panel_session_monitor.domain.kill import Kill, KillState

from ...fakes.clock import NOON
from ...fakes.examples import a_kill, ago, seconds

STEPS: dict[str, Callable[[Kill, datetime], Kill]] = {
    "delivered": Kill.delivered,
    "acknowledged": Kill.acknowledged,
    "ended": Kill.ended,
    "expired": Kill.expired,
}
RANK = [KillState.REQUESTED, KillState.DELIVERED, KillState.ACKNOWLEDGED]


def taken(kill: Kill, *steps: str) -> Kill:
    """Take steps, a second apart."""
    for number, step in enumerate(steps, start=1):
        kill = STEPS[step](kill, NOON + seconds(number))
    return kill


def expected(steps: tuple[str, ...]) -> str:
    """Tell where the steps lead: the first end decides, before it the furthest step counts."""
    for position, step in enumerate(steps):
        if step in ("ended", "expired"):
            return step
        if step == "acknowledged" and not {"ended", "expired"} & set(steps[position:]):
            return step
    return "delivered" if "delivered" in steps else "requested"


@pytest.mark.parametrize("steps", [each for n in range(5) for each in permutations(STEPS, n)])
def test_steps_may_come_in_any_order_and_the_furthest_counts(steps: tuple[str, ...]) -> None:
    assert taken(a_kill(), *steps).state == expected(steps)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_is_taken_twice_keeps_its_first_time(step: str) -> None:
    once = taken(a_kill(), step)

    assert STEPS[step](once, NOON + seconds(99)) == once


def test_every_step_has_its_time() -> None:
    kill = taken(a_kill(), "delivered", "acknowledged", "ended")

    assert kill.delivered_at == NOON + seconds(1)
    assert kill.acknowledged_at == NOON + seconds(2)
    assert kill.ended_at == NOON + seconds(3)
    assert kill.expired_at is None


def test_an_acknowledged_order_was_delivered_at_the_latest_then() -> None:
    kill = taken(a_kill(), "acknowledged")

    assert kill.delivered_at == kill.acknowledged_at == NOON + seconds(1)


def test_an_acknowledgement_keeps_the_time_of_the_delivery() -> None:
    kill = taken(a_kill(), "delivered", "acknowledged")

    assert kill.delivered_at == NOON + seconds(1)


def test_a_delivery_that_is_told_late_changes_nothing() -> None:
    kill = taken(a_kill(), "acknowledged")

    assert kill.delivered(NOON + seconds(9)) == kill


@pytest.mark.parametrize("end", ["ended", "expired"])
@pytest.mark.parametrize("step", STEPS)
def test_nothing_comes_after_the_end(end: str, step: str) -> None:
    over = taken(a_kill(), end)

    assert over.over
    assert STEPS[step](over, NOON + seconds(9)) == over


def test_a_kill_goes_on_until_it_is_over() -> None:
    assert not a_kill().over
    assert not taken(a_kill(), "delivered").over
    assert not taken(a_kill(), "delivered", "acknowledged").over


@pytest.mark.parametrize("steps", [(), ("delivered",), ("delivered", "acknowledged")])
@pytest.mark.parametrize(
    ("waited", "overdue"), [(-1, False), (0, False), (9.9, False), (10, True), (3600, True)]
)
def test_a_step_is_overdue_ten_seconds_after_the_last(
    steps: tuple[str, ...], waited: float, overdue: bool
) -> None:
    kill = taken(a_kill(), *steps)
    last_step = NOON + seconds(len(steps))

    assert kill.overdue(last_step + seconds(waited)) is overdue


@pytest.mark.parametrize("end", ["ended", "expired"])
def test_what_is_over_is_never_overdue(end: str) -> None:
    assert not taken(a_kill(), end).overdue(NOON + seconds(3600))


def test_the_texts_of_an_order_are_trimmed() -> None:
    kill = a_kill(reason=" maintenance ", requested_by=" root ")

    assert (kill.reason, kill.requested_by) == ("maintenance", "root")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("reason", ""),
        ("reason", "x" * 501),
        ("reason", "a\0b"),
        ("requested_by", " "),
        ("requested_by", "x" * 201),
        ("requested_by", "\ud800"),
    ],
)
def test_the_texts_of_an_order_keep_the_rule_of_names(field: str, text: str) -> None:
    with pytest.raises(InvalidField) as raised:
        a_kill(**{field: text})

    assert raised.value.field == field


def test_a_reason_may_be_longer_than_a_name() -> None:
    assert a_kill(reason="x" * 500).reason == "x" * 500


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=12))
def test_no_sequence_of_reports_moves_a_kill_back(steps: list[str]) -> None:
    kill = a_kill()
    for number, step in enumerate(steps):
        following = STEPS[step](kill, NOON + seconds(number))

        if kill.over:
            assert following == kill
        elif not following.over:
            assert RANK.index(following.state) >= RANK.index(kill.state)
        kill = following


def test_an_order_is_as_old_as_its_request_until_it_is_delivered() -> None:
    waiting = replace(a_kill(), requested_at=ago(10))

    assert waiting.overdue(NOON)
    assert not waiting.delivered(NOON).overdue(NOON)
