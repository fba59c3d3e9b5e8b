"""Bringing the database to the schema that this version of the program needs."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from ...application.ports import CannotStart

SCRIPTS = "panel_session_monitor.migrations"


class SchemaMismatch(CannotStart):
    """The database cannot be used by this version of the program."""


def alembic_config(url: str) -> Config:
    """Return Alembic's configuration for a database, with the scripts of this package."""
    config = Config()
    config.set_main_option("script_location", str(files(SCRIPTS)))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


async def upgrade(engine: AsyncEngine) -> None:
    """Apply what is missing, in one transaction (raises SchemaMismatch)."""
    async with engine.execution_options(writes=True).begin() as connection:
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = alembic_config(str(connection.engine.url))
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    for revision in MigrationContext.configure(connection).get_current_heads():
        if revision not in known:
            raise SchemaMismatch(
                f"the database has the schema {revision!r}, which is newer than this program: "
                "install the version that wrote it, or a later one"
            )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
