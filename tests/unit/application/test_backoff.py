"""Pauses between attempts that fail."""

from itertools import pairwise

import pytest
from panel_session_monitor.application.backoff import LONGEST_PAUSE, Backoff


def test_the_bound_doubles_up_to_the_longest() -> None:
    backoff = Backoff(lambda: 1.0)

    pauses = [backoff.missed(longest=30.0) for _ in range(7)]

    assert pauses == [1, 2, 4, 8, 16, 30, 30]


def test_the_first_bound_may_be_another() -> None:
    backoff = Backoff(lambda: 1.0, first=0.5)

    pauses = [backoff.missed(longest=3.0) for _ in range(4)]

    assert pauses == [0.5, 1, 2, 3]


def test_a_pause_lies_anywhere_below_the_bound() -> None:
    assert Backoff(lambda: 0.0).missed(longest=30.0) == 0
    assert Backoff(lambda: 0.25).missed(longest=30.0) == 0.25


def test_after_success_it_begins_anew() -> None:
    backoff = Backoff(lambda: 1.0)
    for _ in range(3):
        backoff.missed(longest=30.0)

    backoff.reset()

    assert backoff.missed(longest=30.0) == 1


def test_what_the_server_asks_for_is_the_least() -> None:
    backoff = Backoff(lambda: 0.5)

    assert backoff.missed(longest=30.0, retry_after=7.0) == 7.5


@pytest.mark.parametrize(("longest", "retry_after"), [(1e300, None), (30.0, 1e300)])
def test_no_pause_is_endless(longest: float, retry_after: float | None) -> None:
    backoff = Backoff(lambda: 1.0)

    pauses = [backoff.missed(longest, retry_after) for _ in range(2000)]

    assert max(pauses) == LONGEST_PAUSE
    assert all(before <= after for before, after in pairwise(pauses))
