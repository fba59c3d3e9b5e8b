import asyncio
from collections.abc import Callable

import pytest
from panel_session_monitor.adapters.dashboard.mirror import Mirror, Touched
from panel_session_monitor.adapters.dashboard.pump import Pump
from panel_session_monitor.adapters.dashboard.viewer import warning
from panel_session_monitor.domain.staleness import Status

from ..fakes.clock import SettableClock
from ..fakes.examples import a_session, session_id
from ..fakes.ids import SequentialIds
from ..fakes.operator import InMemoryOperator

pytestmark = pytest.mark.anyio
SOON = 30.0


class Viewer:
    """Waits for what it is told."""

    def __init__(self, pump: Pump) -> None:
        self._pump = pump
        self._news = asyncio.Event()
        self.touched = Touched()
        self.problems: list[str] = []
        self.leave = pump.watch(self._tell)

    def _tell(self, touched: Touched) -> None:
        self.touched |= touched
        self.problems += [self._pump.problem] if self._pump.problem else []
        self._news.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(SOON):
            while not condition():
                self._news.clear()
                await self._news.wait()


def a_pump(
    patience: float = SOON, judge_every: float = SOON
) -> tuple[Pump, InMemoryOperator, SettableClock]:
    clock = SettableClock()
    operator = InMemoryOperator(clock=clock, ids=SequentialIds())
    pump = Pump(
        operator=operator,
        mirror=Mirror(clock=clock),
        random=lambda: 0.0,
        patience=patience,
        judge_every=judge_every,
    )
    return pump, operator, clock


async def test_all_viewers_share_one_look_and_one_stream() -> None:
    pump, operator, _ = a_pump()
    operator.hold(a_session(1))
    viewers = [Viewer(pump) for _ in range(3)]

    operator.hold(a_session(2))
    for viewer in viewers:
        await viewer.until(lambda: len(pump.mirror.sessions) == 2)

    assert operator.asked == 1
    assert all(session_id(2) in viewer.touched.changed for viewer in viewers)
    for viewer in viewers:
        viewer.leave()


async def test_changes_come_without_asking_again() -> None:
    pump, operator, _ = a_pump()
    viewer = Viewer(pump)
    await viewer.until(lambda: pump.mirror.filled)

    operator.hold(a_session(1))
    await viewer.until(lambda: pump.mirror.sessions)
    operator.end(session_id(1))
    await viewer.until(lambda: not pump.mirror.sessions)

    assert operator.asked == 1
    viewer.leave()


async def test_nothing_runs_while_nobody_watches() -> None:
    pump, operator, _ = a_pump()
    idle = asyncio.all_tasks()
    first, second = Viewer(pump), Viewer(pump)
    await first.until(lambda: pump.mirror.filled)
    watching = asyncio.all_tasks() - idle

    first.leave()
    first.leave()
    assert asyncio.all_tasks() - idle == watching
    second.leave()
    await asyncio.wait(watching, timeout=SOON)

    assert asyncio.all_tasks() == idle
    operator.hold(a_session(1))
    again = Viewer(pump)
    await again.until(lambda: pump.mirror.sessions)
    again.leave()


async def test_what_goes_wrong_is_told_and_ends_by_itself() -> None:
    pump, operator, clock = a_pump()
    operator.hold(a_session(1))
    viewer = Viewer(pump)
    await viewer.until(lambda: pump.mirror.sessions)
    assert warning(pump) == ""

    operator.problem = "connection refused"
    operator.poke()
    await viewer.until(lambda: pump.problem)
    clock.advance(75)
    assert warning(pump) == (
        "The server cannot be reached: connection refused. "
        "What is shown is 1 min 15 s old. Trying again by itself."
    )

    await viewer.until(lambda: pump.backoff.failures > 1)
    operator.problem = None
    await viewer.until(lambda: not pump.problem)
    assert pump.age == 0
    assert pump.backoff.failures == 0, "the next failure is followed by a short pause again"
    viewer.leave()


async def test_a_server_never_reached_is_told_too() -> None:
    pump, operator, _ = a_pump()
    operator.problem = "connection refused"
    viewer = Viewer(pump)

    await viewer.until(lambda: pump.problem)

    assert "Nothing has been read yet." in warning(pump)
    viewer.leave()


async def test_a_server_that_never_answers_is_given_up() -> None:
    pump, operator, _ = a_pump(patience=0.01)
    operator.silent = True
    viewer = Viewer(pump)

    await viewer.until(lambda: pump.problem)

    assert pump.problem == "no answer within 0 seconds"
    viewer.leave()


async def test_after_changes_were_missed_it_looks_anew() -> None:
    pump, operator, _ = a_pump()
    operator.hold(a_session(1))
    viewer = Viewer(pump)
    await viewer.until(lambda: pump.mirror.sessions)

    operator.live.clear()
    operator.hold(a_session(2))
    operator.forget()
    await viewer.until(lambda: set(pump.mirror.sessions) == {session_id(2)})

    assert viewer.problems == [], "nothing is out of reach"
    assert session_id(1) in viewer.touched.changed
    viewer.leave()


async def test_silence_is_told_though_nothing_changes() -> None:
    pump, operator, clock = a_pump(judge_every=0.001)
    operator.hold(a_session(1))
    viewer = Viewer(pump)
    await viewer.until(lambda: pump.mirror.sessions)

    clock.advance(120)

    await viewer.until(lambda: pump.mirror.statuses[session_id(1)] is Status.STALE)
    viewer.leave()
