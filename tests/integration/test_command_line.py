"""The command line against a real server, for people and for programs."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from ..support.processes import ROOT, free_port
from .conftest import CLI

UNKNOWN = "01a20d56-4cdd-79af-95e9-000000000000"


def psm(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", CLI, *arguments],
        env=os.environ | {"COLUMNS": "200"} | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def here(api: httpx.Client) -> dict[str, str]:
    return {"PSM_SERVER_URL": str(api.base_url)}


def register(api: httpx.Client, name: str, **fields: object) -> str:
    return str(api.post("/sessions", json={"app_name": name, **fields}).json()["session_id"])


def test_sessions_are_listed_for_people(api: httpx.Client, here: dict[str, str]) -> None:
    name = f"people-{uuid4().hex[:8]}"
    session = register(api, name, user_id="[red]ada[/red]")

    listed = psm("sessions", "list", "--app", name, **here)

    assert listed.returncode == 0, listed.stderr
    for text in (session, name, "[red]ada[/red]", "idle", "STATUS"):
        assert text in listed.stdout


def test_sessions_are_listed_for_programs(api: httpx.Client, here: dict[str, str]) -> None:
    name = f"programs-{uuid4()}"
    session = register(api, name)

    listed = psm("sessions", "list", "--app", name, "--status", "idle", "--json", **here)

    assert [each["session_id"] for each in json.loads(listed.stdout)] == [session]


def test_no_sessions_is_no_error(here: dict[str, str]) -> None:
    listed = psm("sessions", "list", "--app", str(uuid4()), **here)

    assert (listed.returncode, listed.stdout) == (0, "No sessions.\n")


def test_a_session_is_killed(api: httpx.Client, here: dict[str, str]) -> None:
    session = register(api, "cli")

    killed = psm("sessions", "kill", session, "--reason", "Maintenance", **here)

    assert killed.stdout == f"Kill requested: session {session}\n"
    kill = api.get(f"/sessions/{session}").json()["kill"]
    assert kill["reason"] == "Maintenance"
    assert kill["requested_by"]


def test_all_sessions_of_an_app_are_killed(api: httpx.Client, here: dict[str, str]) -> None:
    name = f"sales/{uuid4()}"
    sessions = {register(api, name) for _ in range(2)}

    killed = psm("apps", "kill-all", name, "--json", **here)

    assert set(json.loads(killed.stdout)["session_ids"]) == sessions


def test_a_session_is_sent_a_message(api: httpx.Client, here: dict[str, str]) -> None:
    session = register(api, "cli")

    sent = psm("sessions", "message", session, "Please save", **here)

    assert sent.stdout == "Message sent to 1 session\n"
    (_, told) = api.get(f"/sessions/{session}/events").json()
    assert (told["kind"], told["text"]) == ("message sent", "Please save")
    assert told["by"]


def test_the_sessions_of_an_app_are_sent_a_message(api: httpx.Client, here: dict[str, str]) -> None:
    name = f"sales/{uuid4()}"
    sessions = {register(api, name) for _ in range(2)}

    sent = psm("apps", "message", name, "Please save", "--json", **here)

    told = json.loads(sent.stdout)
    assert (told["sent"], set(told["session_ids"])) == (2, sessions)


def test_an_app_is_drained_listed_and_undrained(api: httpx.Client, here: dict[str, str]) -> None:
    name = f"sales/{uuid4()}"
    register(api, name)

    drained = psm("apps", "drain", name, "--kill-after", "3600", "--reason", "Noon", **here)
    listed = psm("apps", "list", **here)
    listed_for_programs = psm("apps", "list", "--json", **here)
    undrained = psm("apps", "undrain", name, **here)

    assert drained.stdout.startswith(f"{name} is being drained, kills at ")
    assert all(text in listed.stdout for text in (name, "kills at", "RUNNING"))
    (shown,) = [each for each in json.loads(listed_for_programs.stdout) if each["app_name"] == name]
    assert (shown["sessions"], shown["drain"]["reason"]) == (1, "Noon")
    assert shown["drain"]["requested_by"]
    assert undrained.stdout == f"{name} is not being drained\n"
    assert name not in api.get("/drains").text


def test_a_drain_that_kills_nobody_says_so(here: dict[str, str]) -> None:
    name = f"app-{uuid4().hex}"

    drained = psm("apps", "drain", name, **here)
    for_programs = psm("apps", "drain", name, "--json", **here)
    undrained = psm("apps", "undrain", name, "--json", **here)

    assert drained.stdout == f"{name} is being drained, kills nobody\n"
    assert json.loads(for_programs.stdout)["kill_at"] is None
    assert json.loads(undrained.stdout) == {"app_name": name, "drain": None}


def test_processes_are_listed(api: httpx.Client, here: dict[str, str]) -> None:
    host, process = f"[b]{uuid4().hex[:8]}[/b]", str(uuid4())
    figures = {"rss_bytes": 64 << 20, "cpu_percent": 12.5, "loop_lag_seconds": 0.02}
    told = {"process_id": process, "host": host, "pid": 7, "figures": figures}
    register(api, "cli", process={"process_id": process, "host": host, "pid": 7})
    sessions = [
        each["session_id"] for each in api.get("/sessions").json() if each["process_id"] == process
    ]
    api.post("/heartbeats", json=told | {"session_ids": sessions})

    listed = psm("processes", "list", **here)
    for_programs = psm("processes", "list", "--json", **here)

    (line,) = [line for line in listed.stdout.splitlines() if f"{host}:7" in line]
    assert all(text in line for text in ("none", "64 MiB", "12 %", "20 ms"))
    (shown,) = [each for each in json.loads(for_programs.stdout) if each["host"] == host]
    assert (shown["sessions"], shown["rss_bytes"]) == (1, 64 << 20)


@pytest.mark.parametrize(
    "command",
    [
        ("sessions", "kill", UNKNOWN),
        ("sessions", "message", UNKNOWN, "Hello"),
        ("apps", "message", "sales", "x" * 1001),
        ("apps", "drain", "sales", "--kill-after", str(10**12)),
        ("apps", "undrain", "x" * 201),
        ("sessions", "kill", UNKNOWN, "--reason", "x" * 501),
        ("apps", "kill-all", "x" * 201),
    ],
    ids=" ".join,
)
def test_a_refusal_is_one_line(here: dict[str, str], command: tuple[str, ...]) -> None:
    refused = psm(*command, **here)

    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("seconds", ["-1", "nan", "soon", ""])
def test_a_time_that_is_none_drains_nothing(
    api: httpx.Client, here: dict[str, str], seconds: str
) -> None:
    refused = psm("apps", "drain", "never-drained", "--kill-after", seconds, **here)

    assert refused.returncode == 2
    assert "--kill-after" in refused.stderr.strip().splitlines()[-1]
    assert "never-drained" not in api.get("/drains").text


def test_a_server_out_of_reach_is_one_line() -> None:
    refused = psm("sessions", "list", PSM_SERVER_URL=f"http://127.0.0.1:{free_port()}")

    assert refused.returncode == 1
    assert "cannot be reached" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "env", "name"),
    [
        (("serve",), {"PSM_PORT": "high"}, "PSM_PORT"),
        (("serve", "--stale-after", "-1"), {}, "PSM_STALE_AFTER"),
        (("serve",), {"PSM_EXPIRE_AFTER": "nan"}, "PSM_EXPIRE_AFTER"),
        (("serve",), {"PSM_DATABASE_URL": "mysql://u:secret@h/d"}, "PSM_DATABASE_URL"),
        (("config", "show"), {"PSM_TOKEN_FILE": "/nowhere/at/all"}, "PSM_TOKEN_FILE"),
        (("config", "show"), {"PSM_POOL_URL": "http://u:secret@scheduler:8786"}, "PSM_POOL_URL"),
        (("config", "show"), {"PSM_POOL_URL": "tcp://scheduler"}, "PSM_POOL_URL"),
        (("config", "show"), {"PSM_POOL_URL": "tcp://scheduler:99999"}, "PSM_POOL_URL"),
        (("config", "show"), {"PSM_POOL_URL": "tcp://scheduler:8786/path"}, "PSM_POOL_URL"),
    ],
)
def test_a_bad_setting_is_one_clear_line(
    arguments: tuple[str, ...], env: dict[str, str], name: str
) -> None:
    refused = psm(*arguments, **env)

    assert refused.returncode == 2
    last = refused.stderr.strip().splitlines()[-1]
    assert last.startswith(f"Error: {name}")
    assert "secret" not in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_option_beats_the_environment_which_beats_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PSM_PORT=1111\nPSM_HOST=file\nPSM_STALE_AFTER=60\n")
    code = (
        "from panel_session_monitor.entrypoints.settings import Settings;"
        "s = Settings.load(port=3333); print(s.port, s.host, s.stale_after)"
    )

    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PSM_PORT": "2222", "PSM_HOST": "environment"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stdout == "3333 environment 60.0\n"


def test_the_settings_are_shown_without_secrets() -> None:
    shown = psm("config", "show", "--json", PSM_TOKEN="hush", PSM_PORT="8123")

    settings = json.loads(shown.stdout)
    assert (settings["port"], settings["token"]) == (8123, "********")
    assert "PSM_PORT" in psm("config", "show").stdout
    assert "hush" not in shown.stdout


def newer(tmp_path: Path) -> dict[str, str]:
    url = f"sqlite:///{tmp_path}/newer.sqlite3"
    assert psm("db", "upgrade", PSM_DATABASE_URL=url).returncode == 0
    with sqlite3.connect(tmp_path / "newer.sqlite3") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    return {"PSM_DATABASE_URL": url, "PSM_PORT": str(free_port())}


@pytest.mark.parametrize("arguments", [("serve",), ("db", "upgrade")])
def test_a_database_of_a_newer_schema_is_refused(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    refused = psm(*arguments, **newer(tmp_path))

    assert refused.returncode != 0
    assert "newer than this program" in refused.stderr
    assert "Traceback" not in refused.stderr


def litestar_run(**env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "litestar", "run"],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_litestar_run_refuses_a_newer_schema_in_one_line(tmp_path: Path) -> None:
    refused = litestar_run(**newer(tmp_path))

    output = refused.stderr + refused.stdout
    assert refused.returncode != 0
    assert "newer than this program" in output
    assert "Traceback" not in output, output


def test_litestar_run_tells_a_bad_setting_in_one_line() -> None:
    refused = litestar_run(PSM_STALE_AFTER="soon")

    assert refused.returncode == 2
    assert refused.stderr.startswith("PSM_STALE_AFTER")
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("setting", ["newer schema", "bad setting"])
def test_alembic_tells_in_one_line_what_stands_in_the_way(tmp_path: Path, setting: str) -> None:
    env = newer(tmp_path) if setting == "newer schema" else {"PSM_STALE_AFTER": "soon"}

    refused = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=ROOT,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [("serve",), ("db", "upgrade")])
def test_a_database_that_cannot_be_opened_is_told_in_a_line(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "junk.sqlite3").write_text("this is no database " * 100)
    url = f"sqlite:///{tmp_path}/junk.sqlite3"

    refused = psm(*arguments, PSM_DATABASE_URL=url, PSM_PORT=str(free_port()))

    assert refused.returncode != 0
    assert "cannot be opened" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_alembic_brings_the_database_up_to_date(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/fresh.sqlite3"

    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=ROOT,
        env=os.environ | {"PSM_DATABASE_URL": url},
        timeout=60,
        check=True,
    )

    with sqlite3.connect(tmp_path / "fresh.sqlite3") as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert {"sessions", "history", "processes"} <= tables
