"""Bringing the database to the schema that this version of the program needs."""

import logging
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ...application.ports import CannotStart
from .sqlite import SqliteDatabase

logging.getLogger("alembic.runtime.migration").setLevel(logging.WARNING)

SCRIPTS = "panel_session_monitor.migrations"


class SchemaMismatch(CannotStart):
    """The database cannot be used by this version of the program."""


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, with the scripts of this package."""
    config = Config()
    config.set_main_option("script_location", str(files(SCRIPTS)))
    config.attributes["connection"] = connection
    return config


def upgrade(database: SqliteDatabase) -> None:
    """Apply what is missing, in one transaction (raises CannotStart)."""
    try:
        database.migrate(_upgrade)
    except DBAPIError as error:
        raise CannotStart(f"the database {database.url} cannot be opened: {error.orig}") from error


def require_known_schema(connection: Connection) -> None:
    """Raise SchemaMismatch if a later version of this program has changed the schema."""
    scripts = ScriptDirectory.from_config(alembic_config())
    known = {script.revision for script in scripts.walk_revisions()}
    for revision in MigrationContext.configure(connection).get_current_heads():
        if revision not in known:
            raise SchemaMismatch(
                f"the database has the schema {revision!r}, which is newer than this program: "
                "install the version that wrote it, or a later one"
            )


def _upgrade(connection: Connection) -> None:
    require_known_schema(connection)
    command.upgrade(alembic_config(connection), "head")
