"""Identifiers in the order of time, whatever the clock does and whoever asks."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from uuid import UUID

import pytest
from panel_session_monitor.adapters.clock import TimeOrderedIds


def milliseconds_of(identifier: UUID) -> int:
    return identifier.int >> 80


@pytest.mark.parametrize("readings", [[5] * 1000, [9, 8, 7, 9, 10], [1, 2, 3]], ids=str)
def test_every_id_is_greater_than_the_one_before(readings: list[int]) -> None:
    clock = iter(readings)
    ids = TimeOrderedIds(lambda: next(clock))

    made = [ids.new() for _ in readings]

    assert all(earlier < later for earlier, later in pairwise(made))
    assert all(each.version == 7 and each.variant.startswith("specified") for each in made)


def test_an_id_tells_when_it_was_made() -> None:
    assert milliseconds_of(TimeOrderedIds(lambda: 1_700_000_000_000).new()) == 1_700_000_000_000


def test_no_two_threads_are_given_the_same_id() -> None:
    ids = TimeOrderedIds()

    with ThreadPoolExecutor(4) as threads:
        batches = list(threads.map(lambda _: [ids.new() for _ in range(2_000)], range(4)))

    assert len({each for batch in batches for each in batch}) == 8_000
    assert all(earlier < later for batch in batches for earlier, later in pairwise(batch))
