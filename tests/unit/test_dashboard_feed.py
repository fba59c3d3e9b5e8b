import asyncio
from collections.abc import Callable

import pytest
from panel_session_monitor.adapters.dashboard import Dashboard
from panel_session_monitor.adapters.dashboard.feed import Feed
from panel_session_monitor.adapters.dashboard.page import warning

from ..fakes.clock import SettableClock
from ..fakes.examples import a_session
from ..fakes.ids import SequentialIds
from ..fakes.operator import InMemoryOperator

pytestmark = pytest.mark.anyio
SOON = 5.0


class Viewer:
    """Waits for what it is told."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self._told = asyncio.Event()
        self.leave = feed.watch(self._told.set)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(SOON):
            while not condition():
                self._told.clear()
                await self._told.wait()


def a_feed(refresh_every: float = 0.001, patience: float = SOON) -> tuple[Feed, InMemoryOperator]:
    clock = SettableClock()
    operator = InMemoryOperator(clock=clock, ids=SequentialIds())
    return Feed(
        operator=operator, clock=clock, refresh_every=refresh_every, patience=patience
    ), operator


async def test_a_viewer_sees_what_the_operator_sees() -> None:
    feed, operator = a_feed()
    viewer = Viewer(feed)

    operator.hold(a_session())
    await viewer.until(lambda: feed.snapshot.sessions)

    assert [seen.session for seen in feed.snapshot.sessions] == [a_session()]
    assert warning(feed.snapshot) == ""
    viewer.leave()


async def test_all_viewers_share_one_look() -> None:
    feed, operator = a_feed(refresh_every=SOON)
    viewers = [Viewer(feed) for _ in range(3)]

    for viewer in viewers:
        await viewer.until(lambda: feed.snapshot.seen_at)

    assert operator.asked == 1
    for viewer in viewers:
        viewer.leave()


async def test_an_order_makes_it_look_at_once() -> None:
    feed, operator = a_feed(refresh_every=SOON * 100)
    viewer = Viewer(feed)
    await viewer.until(lambda: operator.asked == 1)

    feed.hurry()
    await viewer.until(lambda: operator.asked == 2)

    viewer.leave()


async def test_it_asks_while_somebody_watches_and_not_a_moment_longer() -> None:
    feed, operator = a_feed()
    before = asyncio.all_tasks()
    first, second = Viewer(feed), Viewer(feed)
    await first.until(lambda: operator.asked)
    asking = asyncio.all_tasks() - before

    first.leave()
    assert not any(task.cancelling() for task in asking)
    second.leave()
    second.leave()
    _, still_asking = await asyncio.wait(asking, timeout=SOON)
    assert not still_asking


async def test_a_viewer_after_a_pause_is_served_again() -> None:
    feed, operator = a_feed(refresh_every=SOON * 100)
    first = Viewer(feed)
    await first.until(lambda: operator.asked == 1)

    first.leave()
    second = Viewer(feed)
    await second.until(lambda: operator.asked == 2)

    second.leave()


async def test_while_out_of_reach_the_sessions_stay_and_age() -> None:
    feed, operator = a_feed()
    operator.hold(a_session())
    viewer = Viewer(feed)
    await viewer.until(lambda: feed.snapshot.sessions)

    operator.problem = "connection refused"
    assert isinstance(feed.clock, SettableClock)
    feed.clock.advance(75)
    await viewer.until(lambda: feed.snapshot.problem)

    assert len(feed.snapshot.sessions) == 1
    assert warning(feed.snapshot) == (
        "The server cannot be reached: connection refused. "
        "The sessions shown are 1 min 15 s old. Trying again by itself."
    )

    operator.problem = None
    await viewer.until(lambda: not feed.snapshot.problem)
    assert feed.snapshot.age == 0
    viewer.leave()


async def test_a_server_never_reached_is_told_too() -> None:
    feed, operator = a_feed()
    operator.problem = "connection refused"
    viewer = Viewer(feed)

    await viewer.until(lambda: feed.snapshot.problem)

    assert "Nothing has been read yet." in warning(feed.snapshot)
    viewer.leave()


async def test_a_server_that_never_answers_is_given_up() -> None:
    feed, operator = a_feed(patience=0.01)
    operator.silent = True
    viewer = Viewer(feed)

    await viewer.until(lambda: feed.snapshot.problem)

    assert feed.snapshot.problem == "no answer within 0 seconds"
    viewer.leave()


@pytest.mark.parametrize("interval", [0, -1, 10.5])
def test_nobody_may_look_at_what_is_older_than_ten_seconds(interval: float) -> None:
    clock = SettableClock()

    with pytest.raises(ValueError, match="10 seconds"):
        Dashboard(
            operator=InMemoryOperator(clock=clock, ids=SequentialIds()),
            clock=clock,
            refresh_every=interval,
        )
