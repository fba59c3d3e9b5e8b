"""SQLite, in the event loop's own thread, and what it says in its own words.

A statement takes some microseconds. To hand it to another thread, and to wait there for the
interpreter's lock while the loop is busy, takes a hundred times as long (docs/decisions/0005).
So statements run at once; what is long is cut into pieces, between which others have their turn.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    Executable,
    Integer,
    Row,
    String,
    bindparam,
    create_engine,
    event,
    func,
    literal,
    make_url,
    select,
    type_coerce,
)
from sqlalchemy.dialects.sqlite import insert

from ...domain.errors import Unavailable

__all__ = ["SqliteConnection", "SqliteDatabase", "among", "insert", "listed", "seconds"]

T = TypeVar("T")

PIECE = 100
"""Rows that are read, or written, before others have their turn: less than a millisecond."""

READERS = 4
"""Most reading transactions at a time; the others wait their turn."""

READ_PATIENCE = 1_000
"""How long a reader waits for another program that recovers the file, in milliseconds."""

WRITE_PATIENCE = 30.0
"""How long a writer waits for another program that writes, in seconds."""

LOOK = 0.01
"""Time between two attempts to write, in seconds."""

LONG_LOG = 4 << 20
"""Length of the write-ahead log, in bytes, from which it is worth a checkpoint."""

PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers never wait for the writer
    "PRAGMA synchronous = NORMAL",  # in WAL mode a crash of the program loses nothing
    "PRAGMA wal_autocheckpoint = 0",  # a commit must not wait for the disk: `checkpoint` does
    "PRAGMA foreign_keys = ON",
)

WRITING = ("PRAGMA busy_timeout = 0",)  # `_begin` waits, and the event loop goes on
READING = (f"PRAGMA busy_timeout = {READ_PATIENCE}", "PRAGMA query_only = ON")


class SqliteConnection:
    """A connection within a transaction. Only between pieces do its methods let others run."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> CursorResult[Any]:
        """Run a statement."""
        return self._connection.execute(statement, parameters)

    async def scalar(self, statement: Executable, parameters: Mapping[str, Any]) -> Any:
        """Run a query and return its only value."""
        return self._connection.scalar(statement, parameters)

    async def scalars(self, statement: Executable, parameters: Mapping[str, Any]) -> list[Any]:
        """Run a query and return the first column of its rows."""
        pieces = self.pieces(statement, parameters)
        return [row[0] async for rows in pieces for row in rows]

    async def execute_many(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once for each row of parameters."""
        for start in range(0, len(rows), PIECE):
            self._connection.execute(statement, rows[start : start + PIECE])
            await _others(start + PIECE < len(rows))

    async def pieces(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> AsyncIterator[Sequence[Row[Any]]]:
        """Run a query and give its rows, a few at a time."""
        result = self._connection.execute(statement, parameters)
        while rows := result.fetchmany(PIECE):
            yield rows
            await _others(len(rows) == PIECE)

    async def records(
        self, statement: Executable, kind: type[T], parameters: Mapping[str, Any]
    ) -> AsyncIterator[list[T]]:
        """Run a query and give its rows as named tuples of a kind, a few at a time.

        The driver's rows are converted by msgspec, ten times as fast as SQLAlchemy's own way:
        moments must come as seconds since the epoch.
        """
        cursor: sqlite3.Cursor = self._connection.execute(statement, parameters).cursor  # type: ignore[assignment]
        while rows := cursor.fetchmany(PIECE):
            yield msgspec.convert(rows, list[kind], strict=False)  # type: ignore[valid-type]
            await _others(len(rows) == PIECE)
        cursor.close()


@dataclass(slots=True)
class SqliteDatabase:
    """A file with one writer at a time, whom nobody fails for, and readers who see what it left.

    patience: how long a writer waits for another program that writes, in seconds
    """

    url: str
    patience: float = WRITE_PATIENCE
    _writer: Engine = field(init=False, repr=False)
    _readers: Engine = field(init=False, repr=False)
    _kept: Connection | None = field(default=None, repr=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _reading: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(READERS), repr=False
    )

    def __post_init__(self) -> None:
        """Prepare the engines; the file is opened at the first transaction."""
        self._writer = _engine(self.url, "BEGIN IMMEDIATE", WRITING, 1)
        self._readers = _engine(self.url, "BEGIN", READING, READERS)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[SqliteConnection]:
        """Begin a transaction that ends with the block, when it is this one's turn.

        Raises Unavailable if another program does not let go of the file.
        """
        async with self._turn:
            connection, self._kept = self._kept or self._writer.connect(), None
            try:
                await self._begin(connection)
                yield SqliteConnection(connection)
                connection.commit()
            except BaseException:
                connection.close()  # which rolls back
                raise
            self._kept = connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqliteConnection]:
        """Begin to read what was committed last, without waiting for the writer."""
        async with self._reading:
            with self._readers.connect() as connection:
                yield SqliteConnection(connection)

    def migrate(self, work: Callable[[Connection], object]) -> None:
        """Run `work` in a transaction that writes; blocks, for there is no service yet."""
        patient = (f"PRAGMA busy_timeout = {1000 * self.patience:.0f}",)
        engine = _engine(self.url, "BEGIN IMMEDIATE", patient, 1)
        try:
            with engine.begin() as connection:
                work(connection)
        finally:
            engine.dispose()

    async def checkpoint(self) -> None:
        """Bring a long write-ahead log into the file: in a thread, for it waits for the disk.

        The second time no writer adds to it, so that the next one begins it anew.
        """
        if not self._log_is_long():
            return
        await asyncio.to_thread(self._checkpoint)
        async with self._turn:
            await asyncio.to_thread(self._checkpoint)

    def _log_is_long(self) -> bool:
        log = Path(f"{self._writer.url.database}-wal")
        return log.exists() and log.stat().st_size >= LONG_LOG

    def dispose(self) -> None:
        """Close the file."""
        if self._kept:
            self._kept.close()
        self._readers.dispose()
        self._writer.dispose()

    async def _begin(self, connection: Connection) -> None:
        """Begin to write, as soon as no other program does."""
        for left in range(round(self.patience / LOOK), -1, -1):
            try:
                connection.begin()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                if not left:
                    raise Unavailable("another program keeps the database locked") from error
                await asyncio.sleep(LOOK)
            else:
                return

    def _checkpoint(self) -> None:
        with closing(sqlite3.connect(str(self._writer.url.database))) as connection:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Tell whether a column holds one of the ids of a parameter, which `listed` makes."""
    ids = func.json_each(bindparam(name, type_=String)).table_valued("value")
    return column.in_(select(ids.c.value))


def listed(ids: Collection[UUID]) -> str:
    """Return ids as one parameter, however many there are."""
    return msgspec.json.encode([each.hex for each in ids]).decode()


def seconds(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a moment as seconds since the epoch."""
    return type_coerce(moment, Integer) / literal(1e6)


def _engine(url: str, begin: str, pragmas: Sequence[str], size: int) -> Engine:
    engine = create_engine(
        make_url(url).set(drivername="sqlite"),
        pool_size=size,
        max_overflow=0,
        pool_reset_on_return=None,  # every connection comes back between transactions
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # the driver begins no transactions of its own
        connection.create_function("found_in", -1, _found_in, deterministic=True)
        for pragma in (*PRAGMAS, *pragmas):
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.connection.cursor().execute(begin)

    return engine


def _found_in(part: str, *texts: str | None) -> bool:
    """Tell whether one of the texts has a part, which is casefolded: SQLite folds ASCII alone."""
    return any(text is not None and part in text.casefold() for text in texts)


async def _others(there_is_more: bool) -> None:
    if there_is_more:
        await asyncio.sleep(0)
