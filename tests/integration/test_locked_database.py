"""A database that another program keeps for itself: the service says so, and goes on after it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
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
    known = api.post("/sessions", json={"app_name": "sales"}).json()["session_id"]
    changes: list[tuple[str, str, object]] = [
        ("POST", "/sessions", {"app_name": "sales"}),
        ("POST", f"/sessions/{known}/heartbeat", {}),
        ("PUT", f"/sessions/{known}/status", {"status": "running"}),
        ("POST", "/heartbeats", {"process_id": str(uuid4()), "session_ids": [known]}),
        ("POST", f"/sessions/{known}/kill", {}),
        ("DELETE", f"/sessions/{known}", {}),
    ]

    def told() -> list[httpx.Response]:
        return [api.request(method, path, json=body) for method, path, body in changes]

    with closing(sqlite3.connect(tmp_path / "api.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = told()
        listed = api.get("/sessions").json()

    assert {each.status_code for each in refused} == {503}
    assert {each.headers["content-type"] for each in refused} == {"application/problem+json"}
    assert refused[0].json()["detail"] == "another program keeps the database locked"
    assert [(each["session_id"], each["status"]) for each in listed] == [(known, "idle")]
    assert all(each.is_success for each in told())
