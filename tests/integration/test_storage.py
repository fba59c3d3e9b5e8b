"""The SQLite store keeps the contract of the session store, and its writers never collide."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.lowlevel import checkpoint
from panel_session_monitor.adapters.storage.migrations import upgrade
from panel_session_monitor.adapters.storage.reader import SqlReader
from panel_session_monitor.adapters.storage.sessions import SqlUnitOfWork
from panel_session_monitor.adapters.storage.sqlite import LONG_LOG, SqliteDatabase
from panel_session_monitor.domain.errors import Unavailable
from sqlalchemy import text

from ..contracts.sessions import SessionsContract, Storage, beat, ids
from ..fakes.clock import NOON
from ..fakes.examples import a_process, a_session, ago, session_id


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    database = SqliteDatabase(f"sqlite+aiosqlite:///{tmp_path}/sessions.sqlite3")
    upgrade(database)
    yield database
    database.dispose()


@pytest.fixture
def storage(database: SqliteDatabase) -> Storage:
    return Storage(unit_of_work=SqlUnitOfWork(database), reader=SqlReader(database))


class TestSqlSessions(SessionsContract):
    """The adapter under the contract."""


async def test_the_file_is_in_wal_mode(database: SqliteDatabase) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "query_only")
    async with database.writing() as writer, database.reading() as reader:
        found = [
            [await each.scalar(text(f"PRAGMA {name}"), {}) for name in names]
            for each in (writer, reader)
        ]

    assert found == [["wal", 1, 1, 0], ["wal", 1, 1, 1]]


async def test_many_writers_at_once_wait_for_their_turn(storage: Storage) -> None:
    async def write(number: int) -> None:
        async with storage.unit_of_work() as sessions:
            await sessions.save([a_session(number)])
            await checkpoint()

    await asyncio.gather(*(write(number) for number in range(1, 201)))

    async with storage.unit_of_work() as sessions:
        assert len(await sessions.live_of("sales")) == 200


async def test_two_programs_on_one_file_wait_for_each_other(tmp_path: Path) -> None:
    databases = [SqliteDatabase(f"sqlite:///{tmp_path}/shared.sqlite3") for _ in range(2)]
    upgrade(databases[0])

    async def write(database: SqliteDatabase, numbers: range) -> None:
        unit_of_work = SqlUnitOfWork(database)
        for number in numbers:
            async with unit_of_work() as sessions:
                await sessions.save([a_session(number)])
                await checkpoint()

    await asyncio.gather(write(databases[0], range(1, 51)), write(databases[1], range(51, 101)))

    async with SqlUnitOfWork(databases[0])() as sessions:
        assert len(await sessions.live_of("sales")) == 100
    for database in databases:
        database.dispose()


async def test_whoever_waits_for_another_program_does_not_hold_up_the_event_loop(
    tmp_path: Path,
) -> None:
    mine, other = (SqliteDatabase(f"sqlite:///{tmp_path}/shared.sqlite3") for _ in range(2))
    upgrade(mine)
    turns = 0

    async def write() -> None:
        async with SqlUnitOfWork(mine)() as sessions:
            await sessions.save([a_session()])

    async with other.writing():
        writing = asyncio.create_task(write())
        while turns < 100:
            await checkpoint()
            turns += 1
        waited = not writing.done()
    await writing

    assert waited
    assert await SqlReader(mine).find(session_id())
    for database in (mine, other):
        database.dispose()


async def test_whoever_waits_for_another_program_too_long_is_told_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.sqlite3"
    mine, other = SqliteDatabase(url, patience=0.1), SqliteDatabase(url)
    upgrade(mine)
    storage = Storage(unit_of_work=SqlUnitOfWork(mine), reader=SqlReader(mine))

    async with other.writing():
        with pytest.raises(Unavailable, match="another program keeps the database locked"):
            await storage.save(a_session())
    await storage.save(a_session(2))

    assert await storage.live() == [session_id(2)]
    for database in (mine, other):
        database.dispose()


async def test_a_long_log_is_brought_into_the_file_and_begun_anew(
    storage: Storage, database: SqliteDatabase, tmp_path: Path
) -> None:
    log = tmp_path / "sessions.sqlite3-wal"
    while not log.exists() or log.stat().st_size < LONG_LOG:
        await storage.save(*(a_session(number) for number in range(1, 1001)))
    grown = log.stat().st_size

    await database.checkpoint()
    for _ in range(10):
        await storage.save(*(a_session(number) for number in range(1, 1001)))

    assert log.stat().st_size == grown
    assert (tmp_path / "sessions.sqlite3").stat().st_size > 100_000
    assert len(await storage.live()) == 1000


async def test_a_process_nobody_refers_to_is_forgotten_with_the_history(
    storage: Storage, database: SqliteDatabase
) -> None:
    async with storage.unit_of_work() as sessions:
        await beat(sessions, a_process(1), [], NOON)
        await sessions.save([a_session(1, process=a_process(2))])

    async with storage.unit_of_work() as sessions:
        await sessions.forget_ended(NOON.replace(year=NOON.year + 1))

    async with database.reading() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM processes"), {}) == 1
    assert await storage.reader.find(session_id(1)) is not None


async def test_a_process_that_beats_for_the_same_sessions_is_one_row(
    storage: Storage, database: SqliteDatabase
) -> None:
    process, numbers = a_process(), range(1, 101)
    await storage.save(*(a_session(number, process=process) for number in numbers))
    stored = text("SELECT max(last_heartbeat) FROM sessions")
    moments = []

    for seconds in (10, 20, 30):
        async with storage.unit_of_work() as repository:
            await beat(repository, process, ids(*numbers), ago(-seconds))
        async with database.reading() as connection:
            moments.append(await connection.scalar(stored, {}))
        found = await storage.get(*ids(*numbers))
        assert {each.last_heartbeat for each in found.values()} == {ago(-seconds)}

    assert moments[0] == moments[1] == moments[2]
