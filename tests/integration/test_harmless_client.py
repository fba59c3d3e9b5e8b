"""What an app does wrong, or its machine, is no reason for the client to harm it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..support.processes import eventually
from ..support.servers import answering, saying

TRACK = """
from fractions import Fraction
from panel_session_monitor import SessionClient
tracker = SessionClient.get_tracker({arguments})
with tracker.task("work") as task:
    for value in (0.5, True, None, "half", float("nan"), 2, -1, Fraction(1, 3)):
        task.progress = value
print("worked")
"""


NO_MONITOR = saying(b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n")


def environment(**settings: object) -> dict[str, str]:
    """Return this process's, with no settings but those given."""
    others = {name: text for name, text in os.environ.items() if name[:4] != "PSM_"}
    return others | {name: str(value) for name, value in settings.items()}


def run(folder: Path, arguments: str) -> subprocess.CompletedProcess[str]:
    return running(folder, TRACK.format(arguments=arguments))


def running(folder: Path, program: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        "'app'",
        "''",
        "'x' * 10_000",
        "'a\\0b'",
        "5",
        "'app', user_id=5",
        "'app', server_url='nonsense'",
        "'app', heartbeat_interval='often'",
        "'app', heartbeat_interval=-1",
        "'app', heartbeat_interval='3'",
    ],
)
def test_strange_arguments_do_not_stop_the_app(tmp_path: Path, arguments: str) -> None:
    done = run(tmp_path, arguments)

    assert (done.returncode, done.stdout) == (0, "worked\n"), done.stderr
    assert "Traceback" not in done.stderr


def test_settings_that_cannot_be_read_do_not_stop_the_app(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("PSM_TOKEN=geheim für alle".encode("latin-1"))

    done = run(tmp_path, "'app'")

    assert done.stdout == "worked\n", done.stderr
    assert ".env cannot be read" in done.stderr


def test_the_settings_of_the_first_folder_hold_though_nobody_answers_and_the_app_moves_on(
    tmp_path: Path,
) -> None:
    program = """
import os
from panel_session_monitor import SessionClient
tracker = SessionClient.get_tracker("app")
os.chdir("/")
input()
"""
    with answering(NO_MONITOR) as server:
        settings = f"PSM_SERVER_URL={server.url}\nPSM_HEARTBEAT_INTERVAL=0.1\n"
        (tmp_path / ".env").write_text(settings)
        with subprocess.Popen(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment(), stdin=subprocess.PIPE
        ) as app:
            # With pauses of up to 30 s, as without the setting, it would hardly ask as often.
            eventually(lambda: len(server.requests) >= 40, patience=20)
            app.communicate(b"\n")

    assert app.returncode == 0


def reporting(folder: Path, **settings: str) -> tuple[str, str]:
    """Have a program report, which has moved on; return its first request and what it warned of."""
    program = """
import os
from panel_session_monitor import SessionClient
tracker = SessionClient.get_tracker("app")
os.chdir("/")
input()
"""
    with (
        answering(NO_MONITOR) as server,
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=folder,
            env=environment(PSM_SERVER_URL=server.url, **settings),
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as app,
    ):
        eventually(lambda: server.requests)
        _, errors = app.communicate("\n")
    return server.requests[0].lower(), errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PSM_PORT", "nonsense"),
        ("PSM_DATABASE_URL", "oracle://"),
        ("PSM_HEARTBEAT_INTERVAL", "often"),
        ("PSM_TOKEN_FILE", "/nowhere/at/all"),
    ],
)
def test_one_bad_setting_takes_neither_address_nor_token_from_the_client(
    tmp_path: Path, name: str, value: str
) -> None:
    request, errors = reporting(tmp_path, PSM_TOKEN="secret", **{name: value})

    assert "authorization: bearer secret" in request
    assert (name in errors) == (name in {"PSM_HEARTBEAT_INTERVAL", "PSM_TOKEN_FILE"})


def test_a_file_of_settings_that_cannot_be_read_leaves_those_of_the_environment(
    tmp_path: Path,
) -> None:
    (tmp_path / ".env").write_bytes(b"PSM_TOKEN=\xff")

    request, _ = reporting(tmp_path, PSM_TOKEN="secret")

    assert "authorization: bearer secret" in request


def test_a_token_file_is_looked_for_where_the_app_was_when_it_began(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")

    request, _ = reporting(tmp_path, PSM_TOKEN_FILE="token")

    assert "authorization: bearer secret" in request


def test_no_page_waits_until_the_settings_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "token")  # whoever reads it waits for a writer

    done = running(tmp_path, TRACK.format(arguments="'app'"), PSM_TOKEN_FILE="token")

    assert (done.returncode, done.stdout) == (0, "worked\n"), done.stderr


LINKS = """
import sys, threading
from panel_session_monitor import SessionClient
for named in sys.stdin.read().splitlines():
    SessionClient.get_tracker("app", **eval(named)).close()
print(sum(each.name == "panel-session-monitor" for each in threading.enumerate()))
"""


@pytest.mark.parametrize(
    ("names", "links"),
    [
        (["{}", "dict(server_url={url!r})", "dict(server_url={url!r} + '/')"], 1),
        (["dict(server_url={url!r})", "dict(token='secret')", "{}"], 1),
        (["{}", "dict(token='other')"], 2),
        (["{}", "dict(server_url='http://127.0.0.1:1')"], 2),
    ],
)
def test_there_is_one_link_to_a_server_however_it_is_named(
    tmp_path: Path, names: list[str], links: int
) -> None:
    with answering(NO_MONITOR) as server:
        done = subprocess.run(
            [sys.executable, "-c", LINKS],
            input="\n".join(name.replace("{url!r}", repr(server.url)) for name in names),
            cwd=tmp_path,
            env=environment(PSM_SERVER_URL=server.url, PSM_TOKEN="secret"),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    assert done.stdout == f"{links}\n"


STRUCK = """
from panel_session_monitor import SessionClient, SessionKilled
from panel_session_monitor.application.tracking import Tracking

first = SessionClient.get_tracker("app")
opened = []

def begin():
    with first.task("Loading", interruptible=True):
        first.close()
        first._link.tracking.wake = first._session.blocks.interrupt
        opened.append(SessionClient.get_tracker("app"))

try:
    begin()
except SessionKilled:
    print("killed", len(first._link.tracking.live()), end=" ")
second = SessionClient.get_tracker("app")
print(len(first._link.tracking.live()))
"""


def test_an_interruption_while_a_tracker_is_made_leaves_no_session_behind(tmp_path: Path) -> None:
    done = running(tmp_path, STRUCK)

    assert done.stdout == "killed 1 1\n", done.stderr


FORKED = """
import os, threading
from panel_session_monitor import SessionClient, SessionKilled

def hold():
    with parents.task("Loading", interruptible=True):
        begun.release()
        threading.Event().wait()

def loop():
    ready.wait()
    try:
        with childs.task("Loading", interruptible=True):
            begun.release()
            while not stop.is_set():
                pass
    except SessionKilled:
        killed.append(None)

parents, begun = SessionClient.get_tracker("app"), threading.Semaphore(0)
threading.Thread(target=hold, daemon=True).start()
begun.acquire()
if os.fork() == 0:
    ready, stop, killed = threading.Event(), threading.Event(), []
    # One of them is given the memory, and so the id, of the parent's thread.
    threads = [threading.Thread(target=loop) for _ in range(8)]
    for thread in threads:
        thread.start()
    childs = SessionClient.get_tracker("child")
    ready.set()
    for _ in threads:
        begun.acquire()
    childs._session.blocks.interrupt()
    threading.Timer(5, stop.set).start()
    for thread in threads:
        thread.join()
    print(len(killed), flush=True)
    os._exit(0)
os.wait()
"""


def test_in_a_forked_child_no_block_of_its_parents_threads_is_in_force(tmp_path: Path) -> None:
    done = running(tmp_path, FORKED)

    assert done.stdout == "8\n", done.stderr
