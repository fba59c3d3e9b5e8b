"""The contract of `Monitor.orders`: kills for one process, the moment they are given.

A test module gives the fixture `desk` and derives a class.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from panel_session_monitor.application.app_ports import Monitor
from panel_session_monitor.domain.ids import KillId, SessionId
from panel_session_monitor.domain.kill import KillState
from panel_session_monitor.domain.report import Instruction, KillStep, Order, Registration, Report
from panel_session_monitor.domain.session import Process

from ..fakes.examples import a_process, session_id

_numbers = count(1)


@dataclass(slots=True)
class Desk:
    """A monitor, what an operator does there, and a process of its own for the test."""

    monitor: Monitor
    kill: Callable[[SessionId], KillId]
    process: Process = field(default_factory=lambda: a_process(1_000 + next(_numbers)))

    def session(self) -> SessionId:
        """Have the process tell of a session."""
        number = session_id(1_000_000 + next(_numbers))
        news = Registration(session_id=number, app_name="sales", process=self.process)
        self.monitor.report(Report(process=self.process, news=(news,)))
        return number

    def opened(self, after: KillId | None = None) -> Iterator[Instruction | None]:
        """Open the process's stream, and wait until it stands."""
        stream = self.monitor.orders(self.process.process_id, after)
        assert next(stream) is None
        return stream


class OrdersContract:
    """What a monitor promises to a process that listens."""

    def test_an_order_comes_when_it_is_given(self, desk: Desk) -> None:
        session, other = desk.session(), desk.session()
        stream = desk.opened()

        kills = [desk.kill(session), desk.kill(other)]
        orders = [next(stream), next(stream)]

        assert orders == [
            Order(session_id=session, kill_id=kills[0]),
            Order(session_id=other, kill_id=kills[1]),
        ]

    def test_an_order_that_was_given_before_comes_at_once(self, desk: Desk) -> None:
        session = desk.session()
        kill = desk.kill(session)

        assert next(desk.opened()) == Order(session_id=session, kill_id=kill)

    def test_a_stream_goes_on_after_the_last_order(self, desk: Desk) -> None:
        session, other = desk.session(), desk.session()
        first, second = desk.kill(session), desk.kill(other)

        stream = desk.opened(after=first)

        assert next(stream) == Order(session_id=other, kill_id=second)

    def test_an_order_that_was_delivered_does_not_come_again(self, desk: Desk) -> None:
        session, other = desk.session(), desk.session()
        delivered = KillStep(
            session_id=session, kill_id=desk.kill(session), state=KillState.DELIVERED
        )
        desk.monitor.report(Report(process=desk.process, news=(delivered,)))
        kill = desk.kill(other)

        assert next(desk.opened()) == Order(session_id=other, kill_id=kill)

    def test_a_process_hears_only_of_its_own_sessions(self, desk: Desk) -> None:
        stranger = Desk(desk.monitor, desk.kill)
        desk.kill(stranger.session())
        session = desk.session()
        kill = desk.kill(session)

        assert next(desk.opened()) == Order(session_id=session, kill_id=kill)
