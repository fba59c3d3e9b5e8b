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


def run(folder: Path, arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", TRACK.format(arguments=arguments)],
        cwd=folder,
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
    no_monitor = saying(b"HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n")
    with answering(no_monitor) as server:
        settings = f"PSM_SERVER_URL={server.url}\nPSM_HEARTBEAT_INTERVAL=0.1\n"
        (tmp_path / ".env").write_text(settings)
        environment = {name: text for name, text in os.environ.items() if name[:4] != "PSM_"}
        with subprocess.Popen(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment, stdin=subprocess.PIPE
        ) as running:
            # With pauses of up to 30 s, as without the setting, it would hardly ask as often.
            eventually(lambda: len(server.requests) >= 40, patience=20)
            running.communicate(b"\n")

    assert running.returncode == 0
