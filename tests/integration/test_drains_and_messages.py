"""Drains and messages on a real server: what is told, when, and what survives."""

from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from ..support.processes import Process, eventually, free_port, python
from ..support.streams import after, following
from .conftest import CLI

Json = dict[str, Any]

pids = count(1)


def app() -> str:
    return f"app-{uuid4()}"


def a_process() -> Json:
    return {"process_id": str(uuid4()), "host": "node-a", "pid": next(pids)}


def register(api: httpx.Client, app_name: str, process: Json | None = None) -> str:
    body = {"app_name": app_name, "process": process}
    return str(api.post("/sessions", json=body).raise_for_status().json()["session_id"])


def report(api: httpx.Client, process: Json, **news: Any) -> Json:
    body = process | {"session_ids": []} | news
    reply: Json = api.post("/heartbeats", json=body).raise_for_status().json()
    return reply


def drains_of(reply: Json, app_name: str) -> list[Json]:
    return [each for each in reply["drains"] if each["app_name"] == app_name]


def kill_of(api: httpx.Client, session: str) -> Json:
    """Return the kill of a session; without one it is empty."""
    kill: Json | None = api.get(f"/sessions/{session}").json()["kill"]
    return kill or {}


def ask(api: httpx.Client, method: str, path: str, body: Json | None = None) -> httpx.Response:
    """Ask, also from a coroutine: nobody else waits for its event loop."""
    return api.request(method, path, json=body)


async def test_a_message_is_pushed_repeated_and_over_once_it_is_shown(api: httpx.Client) -> None:
    process = a_process()
    session = register(api, app(), process)

    async with following(api.base_url, f"/processes/{process['process_id']}/orders") as stream:
        sent = ask(
            api, "POST", f"/sessions/{session}/messages", {"text": "Save\nnow", "sent_by": "ada"}
        )
        pushed = await stream.next()
    waiting = report(api, process)
    message_id = sent.json()["message_id"]
    shown = report(api, process, shown=[{"session_id": session, "message_id": message_id}])
    again = report(api, process, shown=[{"session_id": session, "message_id": message_id}])

    assert sent.status_code == 202
    assert sent.json() == {"sent": 1, "session_ids": [session], "message_id": message_id}
    notice = {
        "session_id": session,
        "message_id": message_id,
        "text": "Save\nnow",
        "sent_by": "ada",
    }
    assert (pushed.event, pushed.id, pushed.json()) == ("message", message_id, notice)
    assert [reply["messages"] for reply in (waiting, shown, again)] == [[notice], [], []]
    told = [each["kind"] for each in ask(api, "GET", f"/sessions/{session}/events").json()]
    assert told == ["opened", "message sent", "message delivered"]


def test_a_message_reaches_the_live_sessions_of_an_app_or_of_all(api: httpx.Client) -> None:
    name = f"sales/{uuid4()}"
    ended, *live = [register(api, name) for _ in range(3)]
    stranger = register(api, app())
    api.delete(f"/sessions/{ended}")

    of_app = api.post(f"/apps/{name.replace('/', '%2F')}/messages", json={"text": "Hello"})
    of_all = api.post("/messages", json={"text": "Hello"})
    of_ended = api.post(f"/sessions/{ended}/messages", json={"text": "Hello"})
    of_nobody = api.post(f"/sessions/{uuid4()}/messages", json={"text": "Hello"})

    assert (of_app.status_code, of_app.json()["sent"]) == (202, 2)
    assert set(of_app.json()["session_ids"]) == set(live)
    assert of_app.json().keys() == {"sent", "session_ids"}
    assert {*live, stranger} <= set(of_all.json()["session_ids"])
    assert ended not in of_all.json()["session_ids"]
    assert (of_ended.status_code, of_nobody.status_code) == (410, 404)


async def test_a_drain_is_told_to_whom_it_concerns_until_it_is_taken_back(
    api: httpx.Client,
) -> None:
    name, process = app(), a_process()
    register(api, name, process)
    terms = {"kill_after": 3600, "reason": "Noon", "requested_by": "ada"}

    async with following(api.base_url, f"/processes/{process['process_id']}/orders") as stream:
        drained = ask(api, "PUT", f"/apps/{name}/drain", terms)
        begun = await stream.next()
        during = report(api, process)
        undone = [ask(api, "DELETE", f"/apps/{name}/drain") for _ in range(2)]
        over = await stream.next()
    afterwards = report(api, process)

    assert drained.status_code == 200
    view = drained.json()
    started, kills = (datetime.fromisoformat(view[key]) for key in ("started_at", "kill_at"))
    assert (kills - started).total_seconds() == 3600
    assert begun.event == over.event == "drains"
    [told] = drains_of(begun.json(), name)
    assert told == {
        "app_name": name,
        "drain_id": view["drain_id"],
        "seconds_left": told["seconds_left"],
        "reason": "Noon",
        "requested_by": "ada",
    }
    assert 3500 < told["seconds_left"] <= 3600
    [repeated] = drains_of(during, name)
    assert repeated["drain_id"] == view["drain_id"]
    assert [answer.status_code for answer in undone] == [204, 204]
    assert drains_of(over.json(), name) == drains_of(afterwards, name) == []


async def test_drains_are_listed_and_their_changes_are_told(api: httpx.Client) -> None:
    name = app()
    position = ask(api, "GET", "/sessions").headers["last-event-id"]

    first = ask(api, "PUT", f"/apps/{name}/drain").json()
    second = ask(api, "PUT", f"/apps/{name}/drain", {"reason": "Noon"}).json()
    listed = [each for each in ask(api, "GET", "/drains").json() if each["app_name"] == name]
    ask(api, "DELETE", f"/apps/{name}/drain")
    async with following(api.base_url, "/events", after(position)) as stream:
        told = [await stream.next() for _ in range(3)]

    assert listed == [second]
    assert (first["kill_at"], first["reason"], second["reason"]) == (None, None, "Noon")
    assert {each.event for each in told} == {"drain"}
    assert [each.json() for each in told] == [
        {"app_name": name, "drain": each} for each in (first, second, None)
    ]


def test_what_is_left_is_killed_at_its_time_and_so_is_who_comes_later(api: httpx.Client) -> None:
    name = app()
    early, spared = register(api, name), register(api, app())

    drain = api.put(f"/apps/{name}/drain", json={"kill_after": 0.5, "reason": "Noon"}).json()
    kill = eventually(lambda: kill_of(api, early))
    late = register(api, name)
    later_kill = eventually(lambda: kill_of(api, late))
    api.delete(f"/apps/{name}/drain")

    assert kill["reason"] == later_kill["reason"] == "Noon"
    assert kill_of(api, early)["kill_id"] == kill["kill_id"]
    assert kill_of(api, spared) == {}
    due, ordered = (
        datetime.fromisoformat(text) for text in (drain["kill_at"], kill["requested_at"])
    )
    assert ordered >= due


def test_a_drain_survives_a_restart_of_the_api(tmp_path: Path) -> None:
    name, port = app(), free_port()
    env = {
        "PSM_DATABASE_URL": f"sqlite:///{tmp_path}/drained.sqlite3",
        "PSM_PORT": str(port),
        "PSM_SERVER_URL": "",
    }

    def start() -> Process:
        server = Process(python("-m", CLI, "serve"), tmp_path / "server.log", env)
        return server.answers(f"http://127.0.0.1:{port}/health/ready")

    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as api:
        first = start()
        session = register(api, name)
        api.put(f"/apps/{name}/drain", json={"kill_after": 1, "reason": "Noon"})
        api.post(f"/sessions/{session}/messages", json={"text": "Hello"})
        first.stop()
        second = start()
        kill = eventually(lambda: kill_of(api, session))
        told = api.get(f"/sessions/{session}/events").json()
        second.stop()

    assert kill["reason"] == "Noon"
    assert [each["kind"] for each in told] == ["opened", "message sent", "kill requested"]


def test_several_sessions_are_killed_by_one_order(api: httpx.Client) -> None:
    name = app()
    doomed, ended, spared = (register(api, name) for _ in range(3))
    api.delete(f"/sessions/{ended}")
    strangers = [str(uuid4()) for _ in range(9_998)]

    order = {"session_ids": [doomed, ended, *strangers], "reason": "Noon", "requested_by": "ada"}
    answer = api.post("/sessions/kill", json=order)

    assert answer.status_code == 202
    assert answer.json() == {"kill_requested": 1, "session_ids": [doomed]}
    kill = kill_of(api, doomed)
    assert (kill["reason"], kill["requested_by"]) == ("Noon", "ada")
    assert kill_of(api, spared) == {}


def test_sessions_are_found_by_a_text_and_counted(api: httpx.Client) -> None:
    word = uuid4().hex
    found = [register(api, f"Find {word.upper()} {number}") for number in range(3)]

    whole = api.get("/sessions", params={"q": f"find {word}"})
    page = api.get("/sessions", params={"q": word, "limit": 2})
    rest = api.get(page.links["next"]["url"])

    assert [each["session_id"] for each in whole.json()] == sorted(found)
    assert page.headers["x-total-count"] == rest.headers["x-total-count"] == "3"
    shown = [each["session_id"] for each in page.json() + rest.json()]
    assert shown == sorted(found)
    assert api.get("/sessions", params={"q": uuid4().hex}).json() == []


def test_apps_are_listed(api: httpx.Client) -> None:
    name, empty = app(), app()
    session = register(api, name)
    register(api, name)
    api.put(f"/sessions/{session}/status", json={"status": "running", "task": "Load"})
    drain = api.put(f"/apps/{empty}/drain").json()

    apps = {each["app_name"]: each for each in api.get("/apps").json()}

    counts = {"sessions": 2, "idle": 1, "running": 1, "stale": 0, "users": 0}
    assert apps[name] == {"app_name": name, "drain": None} | counts
    assert apps[empty] == {"app_name": empty, "drain": drain} | dict.fromkeys(counts, 0)
    api.delete(f"/apps/{empty}/drain")


def test_the_events_of_a_life_are_kept_after_its_end(api: httpx.Client) -> None:
    process = a_process()
    session = register(api, app(), process)
    for status in ({"status": "running", "task": "Load"}, {"status": "idle"}):
        api.put(f"/sessions/{session}/status", json=status)
    api.delete(f"/sessions/{session}")

    told = api.get(f"/sessions/{session}/events")

    assert [(each["kind"], each["text"]) for each in told.json()] == [
        ("opened", f"node-a:{process['pid']}"),
        ("task started", "Load"),
        ("task ended", "Load"),
        ("closed", None),
    ]
    moments = [each["at"] for each in told.json()]
    assert moments == sorted(moments)
    assert api.get(f"/sessions/{uuid4()}/events").status_code == 404
