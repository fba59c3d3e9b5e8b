"""The SQLite store keeps the contract of the session store, and its writers never collide."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from panel_session_monitor.adapters.storage.migrations import upgrade
from panel_session_monitor.adapters.storage.sessions import SqlReader, SqlUnitOfWork
from panel_session_monitor.adapters.storage.sqlite import open_engine
from sqlalchemy.ext.asyncio import AsyncEngine

from ..contracts.sessions import SessionsContract, Storage
from ..fakes.clock import NOON
from ..fakes.examples import a_process, a_session, session_id


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/sessions.sqlite3")
    await upgrade(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def storage(engine: AsyncEngine) -> Storage:
    return Storage(unit_of_work=SqlUnitOfWork(engine), reader=SqlReader(engine))


class TestSqlSessions(SessionsContract):
    """The adapter under the contract."""


async def test_the_file_is_in_wal_mode(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        modes = [
            (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]

    assert modes == ["wal", 1, 30_000]


async def test_many_writers_at_once_wait_for_their_turn(storage: Storage) -> None:
    async def write(number: int) -> None:
        async with storage.unit_of_work() as sessions:
            await sessions.save([a_session(number)])

    await asyncio.gather(*(write(number) for number in range(1, 201)))

    async with storage.unit_of_work() as sessions:
        assert len(await sessions.live_of("sales")) == 200


async def test_two_programs_on_one_file_wait_for_each_other(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/shared.sqlite3"
    engines = [open_engine(url) for _ in range(2)]
    await upgrade(engines[0])

    async def write(engine: AsyncEngine, numbers: range) -> None:
        unit_of_work = SqlUnitOfWork(engine)
        for number in numbers:
            async with unit_of_work() as sessions:
                await sessions.save([a_session(number)])

    await asyncio.gather(write(engines[0], range(1, 51)), write(engines[1], range(51, 101)))

    async with SqlUnitOfWork(engines[0])() as sessions:
        assert len(await sessions.live_of("sales")) == 100
    for engine in engines:
        await engine.dispose()


async def test_a_process_nobody_refers_to_is_forgotten_with_the_history(
    storage: Storage, engine: AsyncEngine
) -> None:
    async with storage.unit_of_work() as sessions:
        await sessions.beat(a_process(1), [], NOON)
        await sessions.save([a_session(1, process=a_process(2))])

    async with storage.unit_of_work() as sessions:
        await sessions.forget_ended(NOON.replace(year=NOON.year + 1))

    async with engine.connect() as connection:
        kept = await connection.exec_driver_sql("SELECT count(*) FROM processes")
        assert kept.scalar() == 1
    assert await storage.reader.find(session_id(1)) is not None
