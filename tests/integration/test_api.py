"""The REST API, row by row, on a real server with a real database file."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

Json = dict[str, Any]


def register(api: httpx.Client, app_name: str = "sales", **fields: Any) -> str:
    answer = api.post("/sessions", json={"app_name": app_name, **fields})
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["session_id"])


def app() -> str:
    return f"app-{uuid4()}"


def problem(answer: httpx.Response, status: int) -> Json:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: Json = answer.json()
    assert body["status"] == status
    assert {"type", "title", "detail"} <= body.keys()
    return body


def test_a_registered_session_is_given_an_id_and_an_address(api: httpx.Client) -> None:
    answer = api.post("/sessions", json={"app_name": "  sales  ", "user_id": "ada"})

    assert answer.status_code == 201
    assert answer.json().keys() == {"session_id", "heartbeat_interval"}
    assert answer.json()["heartbeat_interval"] == 30
    assert answer.headers["location"] == f"/sessions/{answer.json()['session_id']}"
    assert api.get(answer.headers["location"]).json()["app_name"] == "sales"


def test_registering_again_is_a_harmless_retry(api: httpx.Client) -> None:
    session = str(uuid4())
    first = api.post("/sessions", json={"app_name": "sales", "session_id": session})

    again = api.post("/sessions", json={"app_name": "sales", "session_id": session})

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


def test_an_id_of_another_app_is_refused(api: httpx.Client) -> None:
    session = register(api, "sales")

    answer = api.post("/sessions", json={"app_name": "stock", "session_id": session})

    problem(answer, 409)


def test_an_id_that_has_ended_does_not_come_back(api: httpx.Client) -> None:
    session = register(api)
    api.delete(f"/sessions/{session}")

    again = {"app_name": "sales", "session_id": session}
    answers = [
        api.post("/sessions", json=again),
        api.post(f"/sessions/{session}/heartbeat"),
        api.put(f"/sessions/{session}/status", json={"status": "idle"}),
        api.post(f"/sessions/{session}/kill"),
    ]

    for answer in answers:
        problem(answer, 410)


def test_a_session_ends_once_and_is_kept_in_the_history(api: httpx.Client) -> None:
    name = app()
    session = register(api, name)

    answers = [api.delete(f"/sessions/{session}") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert api.get("/sessions", params={"app_name": name}).json() == []
    kept = api.get(f"/sessions/{session}").json()
    assert (kept["status"], kept["end_reason"]) == ("ended", "closed")
    assert kept["ended_at"].endswith("Z")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/sessions/{}"),
        ("GET", "/sessions/{}"),
        ("POST", "/sessions/{}/heartbeat"),
        ("POST", "/sessions/{}/kill"),
        ("PUT", "/sessions/{}/status"),
    ],
)
@pytest.mark.parametrize(
    "session", ["01a20d56-4cdd-79af-95e9-000000000000", "not-a-uuid", "%00", "💥"]
)
def test_an_unknown_or_malformed_id_is_not_found(
    api: httpx.Client, method: str, path: str, session: str
) -> None:
    body = {"json": {"status": "idle"}} if method == "PUT" else {}

    answer = api.request(method, path.format(session), **body)  # type: ignore[arg-type]

    problem(answer, 404)


def test_a_session_shows_all_its_fields(api: httpx.Client) -> None:
    process = {"process_id": str(uuid4()), "host": "node-a", "pid": 4711}
    session = register(api, user_id="ada", process=process)

    shown = api.get(f"/sessions/{session}").json()

    assert shown.keys() == {
        *("session_id", "app_name", "user_id", "process_id", "host", "pid", "status", "task"),
        *("progress", "started_at", "last_heartbeat", "task_started_at", "kill_requested", "kill"),
        *("seconds_since_heartbeat", "duration_seconds", "task_seconds"),
    }
    assert {name: shown[name] for name in process} == process
    assert shown["started_at"].endswith("Z")
    assert (shown["status"], shown["kill_requested"], shown["kill"]) == ("idle", False, None)


def test_a_session_tells_what_it_is_doing(api: httpx.Client) -> None:
    session = register(api)
    doing = {"status": "running", "task": "Load", "progress": 0.25}

    running = api.put(f"/sessions/{session}/status", json=doing).json()
    resting = api.put(f"/sessions/{session}/status", json={"status": "idle"}).json()

    assert {name: running[name] for name in doing} == doing
    assert running["task_seconds"] >= 0
    assert (resting["status"], resting["task"], resting["task_seconds"]) == ("idle", None, None)


def test_an_early_start_is_kept(api: httpx.Client) -> None:
    session = register(api, age=3600.0)

    assert 3600 <= api.get(f"/sessions/{session}").json()["duration_seconds"] < 3660


def test_a_kill_is_ordered_once_and_told_with_every_heartbeat(api: httpx.Client) -> None:
    session = register(api)
    order = {"reason": "Maintenance", "requested_by": "grace"}
    before = api.post(f"/sessions/{session}/heartbeat").json()

    first = api.post(f"/sessions/{session}/kill", json=order)
    again = api.post(f"/sessions/{session}/kill", json={"reason": "another"})
    beats = [api.post(f"/sessions/{session}/heartbeat").json() for _ in range(2)]

    assert before == {"kill_requested": False, "kill": None}
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["state"] == "requested"
    assert {name: first.json()[name] for name in order} == order
    for told in (again.json(), *(beat["kill"] for beat in beats)):
        assert told == first.json()
    assert all(beat["kill_requested"] for beat in beats)


def test_a_killed_session_that_ends_was_killed(api: httpx.Client) -> None:
    session = register(api)
    api.post(f"/sessions/{session}/kill")

    api.delete(f"/sessions/{session}")

    ended = api.get(f"/sessions/{session}").json()
    assert (ended["end_reason"], ended["kill"]["state"]) == ("killed", "ended")


@pytest.mark.parametrize("name", ["plain", "with space", "a/b", "100%", "über/straße", "a%2Fb"])
def test_killing_an_app_reaches_exactly_its_live_sessions(api: httpx.Client, name: str) -> None:
    name = f"{name}-{uuid4()}"
    live = {register(api, name) for _ in range(3)}
    api.delete(f"/sessions/{register(api, name)}")
    other = register(api, app())

    path = httpx.URL(f"/apps/{httpx.URL(params={'n': name}).query.decode()[2:]}/kill-all")
    answer = api.post(str(path).replace("+", "%20"))

    assert answer.status_code == 202
    assert answer.json()["kill_requested"] == 3
    assert set(answer.json()["session_ids"]) == live
    assert not api.get(f"/sessions/{other}").json()["kill_requested"]


def test_killing_an_app_without_sessions_reaches_nobody(api: httpx.Client) -> None:
    answer = api.post(f"/apps/{app()}/kill-all", json={})

    assert answer.json() == {"kill_requested": 0, "session_ids": []}


def test_the_list_comes_in_pages(api: httpx.Client) -> None:
    name = app()
    sessions = sorted(register(api, name) for _ in range(5))

    pages, path = [], f"/sessions?app_name={name}&limit=2"
    while path:
        answer = api.get(path)
        pages.append([each["session_id"] for each in answer.json()])
        assert answer.headers["x-total-count"] == "5"
        path = answer.links.get("next", {}).get("url", "")

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [each for page in pages for each in page] == sessions


def test_the_list_is_filtered(api: httpx.Client) -> None:
    name = app()
    idle = register(api, name, user_id="ada")
    running = register(api, name, user_id="grace")
    api.put(f"/sessions/{running}/status", json={"status": "running"})

    def found(**query: str) -> list[str]:
        answer = api.get("/sessions", params={"app_name": name, **query})
        return [each["session_id"] for each in answer.json()]

    assert found(status="idle") == [idle]
    assert found(status="running") == [running]
    assert found(status="stale") == []
    assert found(user_id="ada") == [idle]
    assert found(user_id="ada", status="running") == []


def test_fresh_sessions_are_not_given_up(api: httpx.Client) -> None:
    session = register(api)

    answer = api.delete("/sessions/stale", params={"older_than": 120})

    assert answer.json() == {"deleted": 0}
    assert api.get(f"/sessions/{session}").json()["status"] == "idle"


def test_a_process_reports_everything_at_once(api: httpx.Client) -> None:
    name, process = app(), str(uuid4())
    first, second, stranger = str(uuid4()), str(uuid4()), str(uuid4())
    gone = register(api, name)
    api.delete(f"/sessions/{gone}")

    reply = api.post(
        "/heartbeats",
        json={
            "process_id": process,
            "host": "node-a",
            "pid": 7,
            "session_ids": [first, second, stranger, gone],
            "registrations": [
                {"session_id": first, "app_name": name, "age": 60},
                {"session_id": second, "app_name": name, "user_id": "ada"},
            ],
            "activities": [
                {"session_id": first, "status": "running", "task": "Load", "age": 5},
            ],
        },
    ).json()

    assert reply == {
        "kill_requested": [],
        "unknown": [stranger],
        "ended": [gone],
        "refused": [],
        "messages": [],
        "drains": [],
        "heartbeat_interval": 30.0,
    }
    shown = {each["session_id"]: each for each in api.get(f"/sessions?app_name={name}").json()}
    assert shown.keys() == {first, second}
    assert shown[first]["duration_seconds"] >= 60
    assert shown[first]["task_seconds"] >= 5
    assert (shown[second]["host"], shown[second]["pid"]) == ("node-a", 7)


def test_a_kill_is_reported_step_by_step(api: httpx.Client) -> None:
    process, session = str(uuid4()), str(uuid4())
    registration = {"session_id": session, "app_name": app()}
    report: Json = {"process_id": process, "session_ids": [session]}
    api.post("/heartbeats", json=report | {"registrations": [registration]})
    kill = api.post(f"/sessions/{session}/kill").json()["kill_id"]

    orders = api.post("/heartbeats", json=report).json()["kill_requested"]
    states = []
    for news in (
        {"kill_steps": [{"session_id": session, "kill_id": kill, "state": "delivered"}]},
        {"kill_steps": [{"session_id": session, "kill_id": kill, "state": "acknowledged"}]},
        {"endings": [{"session_id": session, "reason": "killed"}]},
    ):
        api.post("/heartbeats", json={"process_id": process, "session_ids": []} | news)
        states.append(api.get(f"/sessions/{session}").json()["kill"]["state"])

    assert orders == [{"session_id": session, "kill_id": kill, "reason": None}]
    assert states == ["delivered", "acknowledged", "ended"]
    assert api.get(f"/sessions/{session}").json()["end_reason"] == "killed"


def test_news_of_another_processes_session_is_refused_and_the_rest_taken(
    api: httpx.Client,
) -> None:
    mine, foreign = str(uuid4()), register(api, process={"process_id": str(uuid4())})

    reply = api.post(
        "/heartbeats",
        json={
            "process_id": str(uuid4()),
            "session_ids": [mine],
            "registrations": [{"session_id": mine, "app_name": "sales"}],
            "endings": [{"session_id": foreign}],
        },
    ).json()

    assert [each["session_id"] for each in reply["refused"]] == [foreign]
    assert api.get(f"/sessions/{foreign}").json()["status"] == "idle"
    assert api.get(f"/sessions/{mine}").json()["status"] == "idle"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_the_service_is_well(api: httpx.Client, path: str) -> None:
    assert api.get(path).status_code == 200


def test_times_are_utc_and_durations_are_seconds(api: httpx.Client) -> None:
    shown = api.get(f"/sessions/{register(api)}").json()

    started = datetime.fromisoformat(shown["started_at"])

    assert started.utcoffset() is not None
    assert isinstance(shown["duration_seconds"], float)


def test_the_description_of_the_api_is_complete(api: httpx.Client) -> None:
    paths = api.get("/schema/openapi.json").json()["paths"]

    described = {f"{method.upper()} {path}" for path, each in paths.items() for method in each}

    assert described == {
        "POST /sessions",
        "DELETE /sessions/{session_id}",
        "POST /sessions/{session_id}/heartbeat",
        "PUT /sessions/{session_id}/status",
        "POST /sessions/{session_id}/kill",
        "POST /sessions/kill",
        "POST /apps/{app_name}/kill-all",
        "POST /sessions/{session_id}/messages",
        "POST /apps/{app_name}/messages",
        "POST /messages",
        "PUT /apps/{app_name}/drain",
        "DELETE /apps/{app_name}/drain",
        "GET /drains",
        "GET /apps",
        "GET /sessions",
        "GET /sessions/{session_id}",
        "GET /sessions/{session_id}/events",
        "DELETE /sessions/stale",
        "POST /heartbeats",
        "GET /processes",
        "GET /processes/{process_id}/orders",
        "GET /events",
        "GET /health/live",
        "GET /health/ready",
    }
