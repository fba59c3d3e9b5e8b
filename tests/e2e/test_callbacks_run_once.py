"""`on_kill` callbacks run exactly once, whatever ends the session."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page

from ..support.processes import Process, eventually, free_port, panel_serve, python
from ..support.servers import answering, saying
from .conftest import Start
from .test_main_job import CLI, opened

APP = "tests/e2e/apps/tracked.py"


class Served:
    """The tracked page, served one way or the other, with a monitor of its own."""

    def __init__(self, start: Start, folder: Path, *, fastapi: bool, procs: int = 1) -> None:
        self.api, port = f"http://127.0.0.1:{free_port()}", free_port()
        self.url = f"http://127.0.0.1:{port}/tracked"
        self.callbacks = folder / "callbacks"
        self.callbacks.touch()
        env = {
            "PSM_SERVER_URL": self.api,
            "PSM_PORT": self.api.rpartition(":")[2],
            "PSM_DATABASE_URL": f"sqlite:///{folder}/once.sqlite3",
            "PSM_HEARTBEAT_INTERVAL": "1",
            "CALLBACKS": str(self.callbacks),
        }
        origin = f"--allow-websocket-origin=127.0.0.1:{port}"
        command = panel_serve(APP, port, origin, f"--num-procs={procs}")
        if fastapi:
            command = python("-m", "tests.e2e.apps.tracked", str(port))
        monitor = start(python("-m", CLI, "serve"), env)
        self.process: Process = start(command, env)
        monitor.answers(f"{self.api}/health/ready")
        page = "docs" if fastapi else "static/js/bokeh.min.js"
        self.process.answers(f"http://127.0.0.1:{port}/{page}")

    def ran(self, session: str) -> list[str]:
        """Which callbacks of a session ran, in order."""
        lines = self.callbacks.read_text().splitlines()
        return [line.split()[0] for line in lines if session in line]


@pytest.fixture(scope="module", params=["tornado", "fastapi"])
def served(
    request: pytest.FixtureRequest, start: Start, tmp_path_factory: pytest.TempPathFactory
) -> Served:
    folder = tmp_path_factory.mktemp("served")
    return Served(start, folder, fastapi=request.param == "fastapi")


def close_the_tab(page: Page, _: Served) -> None:
    page.close()


def reload_the_page(page: Page, _: Served) -> None:
    page.reload()


def stop_the_server(_: Page, served: Served) -> None:
    served.process.send(signal.SIGTERM)
    served.process.wait()


def kill(page: Page, served: Served) -> None:
    for session in httpx.get(f"{served.api}/sessions").json():
        httpx.post(f"{served.api}/sessions/{session['session_id']}/kill").raise_for_status()


@pytest.mark.parametrize("end", [close_the_tab, reload_the_page, kill, stop_the_server])
def test_callbacks_run_once_and_the_monitor_is_told(
    served: Served, page: Page, end: Callable[[Page, Served], None]
) -> None:
    session = opened(page, served.url)
    shown = f"{served.api}/sessions/{session}"
    eventually(lambda: httpx.get(shown).is_success)

    end(page, served)

    ended = eventually(lambda: httpx.get(shown).json().get("end_reason"))
    assert ended == ("killed" if end is kill else "closed")
    eventually(lambda: len(served.ran(session)) >= 2, 10)
    assert sorted(served.ran(session)) == ["coroutine", "function"]


def test_no_callback_has_run_again_by_the_end_of_the_process(served: Served) -> None:
    served.process.stop()

    lines = served.callbacks.read_text().splitlines()

    runs = [tuple(line.split()[:2]) for line in lines]
    assert len(runs) == len(set(runs)) > 0


@pytest.mark.long
def test_every_process_of_a_server_has_a_link_of_its_own(
    start: Start, tmp_path: Path, page: Page
) -> None:
    served = Served(start, tmp_path, fastapi=False, procs=2)

    def pids() -> set[int]:
        page.goto(served.url)
        return {each["pid"] for each in httpx.get(f"{served.api}/sessions").json()}

    eventually(lambda: len(pids()) == 2)


SCRIPT = """
import asyncio, os, signal, sys, threading, time
from panel_session_monitor import SessionClient

tracker = SessionClient.get_tracker(app_name="script")
tracker.on_kill(lambda: print("ended", os.getpid(), flush=True))
with tracker.task("Working"):
    pass
if {fork} and os.fork() == 0:
    child = SessionClient.get_tracker(app_name="child")
    assert child is not tracker
    with tracker.task("the parent's"), child.task("Working"):
        pass
    sys.exit(0)
if {fork}:
    os.wait()
print("ready", flush=True)
{rest}
"""


def script(
    rest: str = "", *, fork: bool = False, server_url: str | None = None
) -> subprocess.Popen[str]:
    code = SCRIPT.format(rest=rest, fork=fork)
    url = server_url or f"http://127.0.0.1:{free_port()}"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PSM_SERVER_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_script_ends_its_session_at_its_exit() -> None:
    program = script("")

    output, _ = program.communicate(timeout=60)

    assert output.splitlines() == ["ready", f"ended {program.pid}"]
    assert program.returncode == 0


def test_a_script_ends_its_session_on_sigterm_and_dies_of_it() -> None:
    with script("import time\nwhile True: time.sleep(0.1)") as program:
        assert program.stdout
        assert program.stdout.readline() == "ready\n"

        program.terminate()

        assert program.stdout.read() == f"ended {program.pid}\n"
        assert program.wait(30) == -signal.SIGTERM


def test_sigterm_does_not_deadlock_with_the_code_that_it_interrupts() -> None:
    busy = "while True:\n    with tracker.task('Working') as task: task.progress = 0.5"
    for _ in range(4):
        with script(busy) as program:
            assert program.stdout
            assert program.stdout.readline() == "ready\n"

            program.terminate()

            assert program.stdout.read() == f"ended {program.pid}\n"
            assert program.wait(30) == -signal.SIGTERM


def test_a_coroutine_callback_runs_on_the_scripts_own_loop() -> None:
    program = """
async def main():
    tracker.close()
    own = SessionClient.get_tracker(app_name="own")
    home = asyncio.get_running_loop()

    async def ended():
        print("coroutine", asyncio.get_running_loop() is home, flush=True)

    own.on_kill(ended)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(60)

asyncio.run(main())
"""
    with script(program) as running:
        assert running.stdout
        assert "coroutine True" in running.stdout.read()
        assert running.wait(30) == -signal.SIGTERM


def test_a_callback_that_hangs_does_not_hold_the_end_up() -> None:
    with script("tracker.on_kill(lambda: time.sleep(60))\ntime.sleep(60)") as program:
        assert program.stdout
        assert program.stdout.readline() == "ready\n"

        program.terminate()

        assert program.wait(15) == -signal.SIGTERM


def test_a_forked_child_that_tracks_has_an_end_of_its_own() -> None:
    program = """
if os.fork() == 0:
    child = SessionClient.get_tracker(app_name="child")
    child.on_kill(lambda: print("child ended", flush=True))
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
os.wait()
"""
    with script(program) as running:
        assert running.stdout
        assert "child ended" in running.stdout.read()


def test_a_fork_while_the_link_starts_leaves_the_child_able_to_import() -> None:
    program = """
if os.fork() == 0:
    import httpx
    print("imported", flush=True)
    os._exit(0)
os.wait()
"""
    with script(program) as running:
        assert running.stdout
        assert "imported" in running.stdout.read()


def test_a_forked_child_leaves_its_parents_session_alone() -> None:
    program = script("", fork=True)

    output, errors = program.communicate(timeout=60)

    assert output.splitlines() == ["ready", f"ended {program.pid}"]
    assert program.returncode == 0, errors


def test_without_a_monitor_one_warning_is_logged() -> None:
    no_monitor = saying(b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n")
    with answering(no_monitor) as server:
        program = script("input()", server_url=server.url)
        eventually(lambda: len(server.requests) >= 3)

        _, errors = program.communicate("\n", timeout=60)

    assert errors.count("session monitor") == 1
    assert "does not take reports" in errors


def test_callbacks_find_the_apps_globals_when_bokeh_destroys_the_session(
    start: Start, tmp_path: Path
) -> None:
    port, callbacks = free_port(), tmp_path / "callbacks"
    callbacks.touch()
    lifetime = ("--unused-session-lifetime", "500", "--check-unused-sessions", "250")
    app = panel_serve("tests/e2e/apps/globals_on_kill.py", port, *lifetime)
    env = {"CALLBACKS": str(callbacks), "PSM_SERVER_URL": f"http://127.0.0.1:{free_port()}"}
    process = start(app, env).answers(f"http://127.0.0.1:{port}/static/js/bokeh.min.js")

    httpx.get(f"http://127.0.0.1:{port}/globals_on_kill").raise_for_status()

    eventually(lambda: len(callbacks.read_text().splitlines()) == 2)
    assert "Traceback" not in process.output, process.output
