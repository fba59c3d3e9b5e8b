"""Alembic's way in: `alembic upgrade head`, or the program with a connection of its own."""

import asyncio
import sys

from alembic import context
from panel_session_monitor.adapters.storage.migrations import require_known_schema
from panel_session_monitor.adapters.storage.sqlite import open_engine
from panel_session_monitor.adapters.storage.tables import metadata
from panel_session_monitor.application.ports import CannotStart
from panel_session_monitor.entrypoints.settings import BadSetting, Settings
from sqlalchemy import Connection


def migrate(connection: Connection) -> None:
    """Run the migrations in the connection's transaction."""
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


async def migrate_database_of_the_settings() -> None:
    """Run the migrations on the database that the settings name."""
    engine = open_engine(Settings.load().database_url)
    async with engine.execution_options(writes=True).begin() as connection:
        await connection.run_sync(require_known_schema)
        await connection.run_sync(migrate)
    await engine.dispose()


def run() -> None:
    """Run them from the command line; what stands in the way is told in one line."""
    try:
        asyncio.run(migrate_database_of_the_settings())
    except (BadSetting, CannotStart) as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(2)


if (shared := context.config.attributes.get("connection")) is not None:
    migrate(shared)
else:
    run()
