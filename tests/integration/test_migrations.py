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
from panel_session_monitor.adapters.storage.sqlite import SqliteDatabase
from panel_session_monitor.adapters.storage.tables import metadata
from sqlalchemy import Connection

REVISIONS = [
    script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()
][::-1]


def _migrated(path: Path, *steps: tuple[str, str]) -> list[object]:
    """Take the steps on a new database and return how it differs from the tables."""
    database = SqliteDatabase(f"sqlite:///{path}/stairs.sqlite3")
    difference: list[object] = []

    def take(connection: Connection) -> None:
        config = alembic_config(connection)
        for direction, revision in steps:
            getattr(command, direction)(config, revision)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        difference.extend(compare_metadata(context, metadata))

    database.migrate(take)
    database.dispose()
    return difference


@pytest.mark.parametrize("revision", REVISIONS)
def test_each_migration_goes_up_down_and_up(tmp_path: Path, revision: str) -> None:
    stairs = [("upgrade", revision), ("downgrade", "-1"), ("upgrade", revision)]

    difference = _migrated(tmp_path, *stairs, ("upgrade", "head"))

    assert difference == []


def test_a_newer_schema_is_refused_in_one_line(tmp_path: Path) -> None:
    database = SqliteDatabase(f"sqlite:///{tmp_path}/newer.sqlite3")
    upgrade(database)
    database.migrate(
        lambda connection: connection.exec_driver_sql(
            "UPDATE alembic_version SET version_num = '9999'"
        )
    )

    with pytest.raises(SchemaMismatch, match="'9999', which is newer than this program") as refusal:
        upgrade(database)

    assert "\n" not in str(refusal.value)
    database.dispose()
