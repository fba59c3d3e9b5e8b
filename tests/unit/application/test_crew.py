"""A crew: no more at a time than it may be, but for those that hang."""

import threading
from collections.abc import Iterator
from functools import partial

import pytest
from panel_session_monitor.application.crew import Crew

from ...fakes.clock import SettableClock
from .linked import PATIENCE, errors_of, soon


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def crew(clock: SettableClock) -> Crew:
    return Crew(size=2, patience=10.0, clock=clock)


@pytest.fixture
def hanging(crew: Crew) -> Iterator[list[int]]:
    """Keep both members at work that does not end before the test does."""
    release, begun = threading.Event(), list[int]()

    def hang(number: int) -> None:
        begun.append(number)
        release.wait(10 * PATIENCE)

    for number in range(2):
        crew.do(partial(hang, number))
    soon(lambda: len(begun) == 2)
    yield begun
    release.set()


def test_no_more_work_at_a_time_than_there_are_members(
    crew: Crew, clock: SettableClock, hanging: list[int]
) -> None:
    done = threading.Event()

    crew.do(done.set)
    clock.advance(9.9)
    crew.relieve()

    assert not done.wait(0.1)


def test_what_waits_is_done_by_who_has_done_before(crew: Crew) -> None:
    release, done = threading.Event(), list[int]()
    for _ in range(2):
        crew.do(partial(release.wait, PATIENCE))
    for number in range(100):
        crew.do(partial(done.append, number))

    before = list(done)
    release.set()

    assert before == []
    assert soon(lambda: sorted(done) == list(range(100)))


def test_members_that_hang_are_relieved(
    crew: Crew, clock: SettableClock, hanging: list[int]
) -> None:
    done = threading.Event()
    crew.do(done.set)

    clock.advance(10)
    crew.relieve()

    assert done.wait(PATIENCE)


def test_it_tells_when_to_relieve_while_work_waits(
    crew: Crew, clock: SettableClock, hanging: list[int]
) -> None:
    before = crew.next_relief()

    crew.do(lambda: None)

    assert (before, crew.next_relief()) == ([], [clock.monotonic() + 10.0] * 2)


def test_the_time_that_one_piece_of_work_takes_counts_and_no_more(
    crew: Crew, clock: SettableClock
) -> None:
    begun, release = [threading.Event() for _ in range(3)], threading.Event()

    def pass_time() -> None:
        begun[0].set()
        clock.advance(9)

    def hang(number: int) -> None:
        begun[number].set()
        release.wait(PATIENCE)

    crew.do(partial(hang, 1))
    assert begun[1].wait(PATIENCE)
    for work in (pass_time, partial(hang, 2)):
        crew.do(work)
    assert begun[2].wait(PATIENCE)
    crew.do(lambda: None)

    assert sorted(crew.next_relief()) == [clock.monotonic() + 1, clock.monotonic() + 10]
    release.set()


def test_work_that_fails_does_not_stop_the_next(
    crew: Crew, caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()

    crew.do(lambda: 1 / 0)
    crew.do(done.set)

    assert done.wait(PATIENCE)
    assert soon(lambda: errors_of(caplog))
