"""The programs that a benchmark needs, on free ports, started and stopped."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.processes import Process, free_port, panel_serve, python

CLI = "panel_session_monitor.entrypoints.cli"
APP = Path(__file__).with_name("apps.py")


class Stage:
    """Starts programs; all of them stop with the block."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack

    def api(self, port: int, *, heartbeat_interval: float = 30.0) -> str:
        """Run the API and return its URL."""
        env = {
            "PSM_DATABASE_URL": f"sqlite:///{self._folder}/{port}.sqlite3",
            "PSM_HEARTBEAT_INTERVAL": str(heartbeat_interval),
        }
        url = f"http://127.0.0.1:{port}"
        self._start([*python("-m", CLI, "serve", "--port", str(port))], env, f"{url}/health/ready")
        return url

    def app(self, *, monitor: str | None) -> str:
        """Serve the Panel app, tracked or not, and return its URL."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        env = {"TRACKED": "1", "PSM_SERVER_URL": monitor} if monitor else {}
        origin = f"--allow-websocket-origin=127.0.0.1:{port}"
        self._start(panel_serve(APP, port, origin), env, f"{url}/static/js/bokeh.min.js")
        return f"{url}/apps"

    def _start(self, command: list[str | Path], env: dict[str, str], page: str) -> None:
        process = Process(command, self._folder / f"{free_port()}.log", env)
        self._stack.callback(process.stop)
        process.answers(page)


@contextmanager
def stage() -> Iterator[Stage]:
    """Give a stage with a folder of its own."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        yield Stage(Path(folder), stack)
