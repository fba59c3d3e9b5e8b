"""What is SQLite's own: how it is opened, and what it says in its own words."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, event, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

__all__ = ["among", "insert", "open_engine"]

PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers never wait for the writer
    "PRAGMA synchronous = NORMAL",  # in WAL mode a crash of the program loses nothing
    "PRAGMA busy_timeout = 30000",  # another program may hold the file: wait, do not fail
    "PRAGMA foreign_keys = ON",
)


def open_engine(url: str) -> AsyncEngine:
    """Return an engine in WAL mode whose transactions begin as SQLAlchemy says.

    A connection with the execution option `writes` takes the write lock at its beginning, so
    that no transaction finds out in its middle that it cannot write.
    """
    engine = create_async_engine(url)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver begins no transactions of its own
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def among(column: Column[Any], ids: Collection[UUID]) -> ColumnElement[bool]:
    """Tell whether a column holds one of `ids`: one parameter, however many there are."""
    listed = msgspec.json.encode([each.hex for each in ids]).decode()
    return column.in_(select(func.json_each(listed).table_valued("value").c.value))
