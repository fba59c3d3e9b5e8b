"""The fakes of the two ends of the gateway keep their ports' contracts."""

import asyncio
from collections.abc import Iterator

import pytest
from panel_session_monitor.application.kill import RequestKill
from panel_session_monitor.application.ports import LiveProcess
from panel_session_monitor.domain.ids import KillId, SessionId
from panel_session_monitor.domain.report import Figures
from panel_session_monitor.domain.staleness import StalenessPolicy

from ..fakes.clock import NOON, SettableClock
from ..fakes.examples import a_process, a_session, a_task, session_id
from ..fakes.ids import SequentialIds
from ..fakes.monitor import InMemoryMonitor
from ..fakes.operator import InMemoryOperator
from ..fakes.pool import InMemoryPool
from ..fakes.sessions import InMemorySessions
from .monitor import MonitorContract
from .operator import OperatorContract, Ward
from .orders import Desk, OrdersContract
from .pool import WorkerPoolContract


@pytest.fixture
def monitor() -> InMemoryMonitor:
    return InMemoryMonitor(sessions=InMemorySessions(), clock=SettableClock())


class TestInMemoryMonitor(MonitorContract):
    """The fake of the server for an app."""


@pytest.fixture
def desk(monitor: InMemoryMonitor) -> Desk:
    ids, policy = SequentialIds(), StalenessPolicy()
    request = RequestKill(
        unit_of_work=monitor.sessions, clock=monitor.clock, policy=policy, ids=ids
    )

    def kill(session: SessionId) -> KillId:
        seen = asyncio.run(request(session))
        assert seen.session.kill
        monitor.poke()
        return seen.session.kill.kill_id

    return Desk(monitor, kill)


class TestInMemoryMonitorsOrders(OrdersContract):
    """The fake of the server for an app that listens."""


@pytest.fixture
def ward() -> Ward:
    operator = InMemoryOperator(clock=SettableClock(), ids=SequentialIds())

    async def admit(
        number: int, *, app_name: str, user_id: str | None = None, task: str | None = None
    ) -> None:
        doing = a_task(name=task) if task else None
        process = a_process()
        served = LiveProcess(
            process=process, started_at=NOON, last_heartbeat=NOON, sessions=1, figures=Figures()
        )
        operator.serving[:] = [served]
        operator.hold(
            a_session(number, app_name=app_name, user_id=user_id, task=doing, process=process)
        )

    async def leave(number: int) -> None:
        operator.end(session_id(number))

    return Ward(operator=operator, admit=admit, leave=leave)


class TestInMemoryOperator(OperatorContract):
    """The fake of the server for an operator."""


@pytest.fixture
def pool() -> Iterator[InMemoryPool]:
    pool = InMemoryPool()
    yield pool
    pool.close()


class TestInMemoryPool(WorkerPoolContract):
    """The fake of a worker pool."""
