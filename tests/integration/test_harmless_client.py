"""What an app does wrong, or its machine, is no reason for the client to harm it."""

import subprocess
import sys
from pathlib import Path

import pytest

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
