"""Alembic's way in: `alembic upgrade head`, or the program with a connection of its own."""

import sys

from alembic import context
from panel_session_monitor.adapters.storage.migrations import require_known_schema
from panel_session_monitor.adapters.storage.sqlite import SqliteDatabase
from panel_session_monitor.adapters.storage.tables import metadata
from panel_session_monitor.application.ports import CannotStart
from panel_session_monitor.entrypoints.settings import BadSetting, Settings
from sqlalchemy import Connection


def migrate(connection: Connection) -> None:
    """Run the migrations in the connection's transaction."""
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


def migrate_known(connection: Connection) -> None:
    """Run the migrations, unless a later version of this program has changed the schema."""
    require_known_schema(connection)
    migrate(connection)


def run() -> None:
    """Run them from the command line; what stands in the way is told in one line."""
    try:
        database = SqliteDatabase(Settings.load().database_url)
        database.migrate(migrate_known)
        database.dispose()
    except (BadSetting, CannotStart) as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(2)


if (shared := context.config.attributes.get("connection")) is not None:
    migrate(shared)
else:
    run()
