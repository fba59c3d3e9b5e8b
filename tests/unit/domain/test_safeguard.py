"""The monitor's own sleep does not count as a session's silence."""

from datetime import timedelta

import pytest
from panel_session_monitor.domain.safeguard import Watch

from ...fakes.clock import NOON
from ...fakes.examples import MICROSECOND, ago, seconds

GAP = seconds(60)


def a_watch(since: float = 0, last_look: float = 0) -> Watch:
    """Return a watch that has listened for so many seconds."""
    return Watch(listening_since=ago(since), last_look=ago(last_look), longest_gap=GAP)


@pytest.mark.parametrize(
    ("listened", "long_enough"), [(0, False), (599.9, False), (600, True), (9_999, True)]
)
def test_silence_counts_only_while_the_monitor_listened(listened: float, long_enough: bool) -> None:
    watch = a_watch(since=listened).look(NOON)

    assert watch.heard_nothing_for(seconds(600)) is long_enough


@pytest.mark.parametrize("gap", [seconds(0), seconds(15), GAP])
def test_looks_that_follow_each_other_closely_are_one_watch(gap: timedelta) -> None:
    watch = a_watch(since=900)

    looked = watch.look(NOON + gap)

    assert looked.listening_since == watch.listening_since


def test_after_too_long_a_gap_the_watch_begins_anew() -> None:
    awake = NOON + GAP + MICROSECOND

    watch = a_watch(since=9_000).look(awake)

    assert (watch.listening_since, watch.last_look) == (awake, awake)
    assert not watch.heard_nothing_for(MICROSECOND)


def test_after_a_sleep_the_whole_silence_must_be_listened_to() -> None:
    woken = ago(0) + seconds(3600)
    watch = a_watch(since=9_000).look(woken)

    for number in range(1, 41):
        watch = watch.look(woken + number * seconds(15))
        assert watch.heard_nothing_for(seconds(600)) is (number == 40)


def test_a_clock_that_is_set_back_ends_no_watch() -> None:
    watch = a_watch(since=300)

    looked = watch.look(ago(200))

    assert looked.listening_since == watch.listening_since


def test_a_watch_only_counts_up_to_its_last_look() -> None:
    watch = a_watch(since=600, last_look=1)

    assert not watch.heard_nothing_for(seconds(600))
    assert watch.heard_nothing_for(seconds(599))
