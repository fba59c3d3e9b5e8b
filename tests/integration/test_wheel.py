"""The wheel, in an environment that holds nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from ..support.processes import ROOT, Process, free_port

UV = Path(sys.executable).with_name("uv")


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", folder, ROOT, cwd=folder)
    return next(folder.glob("panel_session_monitor-*.whl"))


def environment(folder: Path, requirement: str) -> Path:
    run(UV, "venv", "--quiet", "--python", sys.executable, folder, cwd=folder.parent)
    run(
        *(UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python"),
        *("--constraint", ROOT / "requirements.lock", requirement),
        cwd=folder.parent,
    )
    return folder / "bin"


def test_a_plain_install_tracks_and_needs_no_server(wheel: Path, tmp_path: Path) -> None:
    code = (
        "import sys, panel, panel_session_monitor as psm\n"
        "with psm.SessionClient.get_tracker('app').task('work'): pass\n"
        "print(sorted({'sqlalchemy', 'litestar', 'dependency_injector'} & set(sys.modules)))"
    )

    binaries = environment(tmp_path / "plain", str(wheel))

    assert run(binaries / "python", "-c", code, cwd=tmp_path) == "[]\n"
    refused = subprocess.run(
        [binaries / "psm"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert "pip install 'panel-session-monitor[server,dashboard]'" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_the_commands_run_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    binaries = environment(tmp_path / "full", f"{wheel}[server,dashboard]")
    api, page = free_port(), free_port()
    url = {"PSM_SERVER_URL": f"http://127.0.0.1:{api}"}
    database = {"PSM_DATABASE_URL": f"sqlite:///{tmp_path}/wheel.sqlite3"}
    psm = binaries / "psm"

    upgrade = Process([psm, "db", "upgrade"], tmp_path / "upgrade.log", database)
    assert upgrade.wait() == 0, upgrade.output
    serve = Process([psm, "serve", "--port", str(api)], tmp_path / "serve.log", database)
    dashboard = Process([psm, "dashboard", "--port", str(page)], tmp_path / "dashboard.log", url)
    try:
        serve.answers(f"http://127.0.0.1:{api}/schema")
        dashboard.answers(f"http://127.0.0.1:{page}/monitor")
        listing = Process([psm, "sessions", "list"], tmp_path / "list.log", url)
        assert listing.wait() == 0, listing.output
        assert listing.output == "No sessions.\n"
    finally:
        dashboard.stop()
        serve.stop()
    assert "Traceback" not in serve.output + dashboard.output
