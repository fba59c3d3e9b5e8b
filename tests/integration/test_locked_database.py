"""A database that another program keeps for itself: the service says so, and goes on after it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from panel_session_monitor.adapters.storage.sqlite import SqliteDatabase
from panel_session_monitor.entrypoints.api import create
from panel_session_monitor.entrypoints.container import Service
from panel_session_monitor.entrypoints.settings import Settings


@pytest.fixture
def api(tmp_path: Path) -> Iterator[TestClient[Litestar]]:
    url = f"sqlite:///{tmp_path}/api.sqlite3"
    service = Service()
    service.settings.override(Settings.load(database_url=url))
    service.database.override(SqliteDatabase(url, patience=0.1))
    with TestClient(create(service)) as client:
        yield client


def test_what_cannot_be_stored_is_refused_until_it_can_be(
    api: TestClient[Litestar], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "api.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = api.post("/sessions", json={"app_name": "sales"})
        listed = api.get("/sessions")
    registered = api.post("/sessions", json={"app_name": "sales"})

    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["detail"] == "another program keeps the database locked"
    assert listed.json() == []
    assert registered.status_code == 201
