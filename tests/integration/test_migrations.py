"""Every migration goes up, down and up again; what it leaves is what the tables say."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from panel_session_monitor.adapters.storage.migrations import (
    SchemaMismatch,
    alembic_config,
    upgrade,
)
from panel_session_monitor.adapters.storage.sqlite import open_engine
from panel_session_monitor.adapters.storage.tables import metadata
from sqlalchemy import Connection

REVISIONS = [
    script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()
][::-1]


async def _migrated(path: Path, *steps: tuple[str, str]) -> list[object]:
    """Take the steps on a new database and return how it differs from the tables."""
    engine = open_engine(f"sqlite+aiosqlite:///{path}/stairs.sqlite3")

    def take(connection: Connection) -> list[object]:
        config = alembic_config(connection)
        for direction, revision in steps:
            getattr(command, direction)(config, revision)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    async with engine.execution_options(writes=True).begin() as connection:
        difference = await connection.run_sync(take)
    await engine.dispose()
    return difference


@pytest.mark.parametrize("revision", REVISIONS)
async def test_each_migration_goes_up_down_and_up(tmp_path: Path, revision: str) -> None:
    stairs = [("upgrade", revision), ("downgrade", "-1"), ("upgrade", revision)]

    difference = await _migrated(tmp_path, *stairs, ("upgrade", "head"))

    assert difference == []


async def test_a_newer_schema_is_refused_in_one_line(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/newer.sqlite3")
    await upgrade(engine)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaMismatch, match="'9999', which is newer than this program") as refusal:
        await upgrade(engine)

    assert "\n" not in str(refusal.value)
    await engine.dispose()
