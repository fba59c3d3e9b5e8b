"""Silence on a real server: stale, then expired and kept in the history with the reason."""

import httpx
import pytest

from ..support.processes import eventually


@pytest.fixture(scope="module")
def settings(settings: dict[str, str]) -> dict[str, str]:
    return settings | {
        "PSM_STALE_AFTER": "1",
        "PSM_EXPIRE_AFTER": "3",
        "PSM_SWEEP_INTERVAL": "0.2",
    }


def test_a_silent_session_is_stale_and_then_expired(api: httpx.Client) -> None:
    session = api.post("/sessions", json={"app_name": "silent"}).json()["session_id"]
    api.put(f"/sessions/{session}/status", json={"status": "running", "task": "Load"})
    kill = api.post(f"/sessions/{session}/kill").json()

    def shown() -> dict[str, object]:
        answer: dict[str, object] = api.get(f"/sessions/{session}").json()
        return answer

    eventually(lambda: shown()["status"] == "stale")
    assert [each["session_id"] for each in api.get("/sessions?status=stale").json()] == [session]
    eventually(lambda: shown()["status"] == "ended")

    expired = shown()
    assert expired["end_reason"] == "expired"
    assert expired["kill"] == kill | {
        "state": "expired",
        "expired_at": expired["ended_at"],
        "overdue": False,
    }
    assert api.get("/sessions").json() == []
    assert api.post(f"/sessions/{session}/heartbeat").status_code == 410
