"""The programs that a benchmark needs, on free ports, started and stopped."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM
from tempfile import TemporaryDirectory

from tests.support.processes import Process, free_port, panel_serve, python

PROGRAMS = Path(__file__).with_name("programs")
CLI = "panel_session_monitor.entrypoints.cli"
QUIET = ("--log-level", "warning")


@dataclass(frozen=True, slots=True)
class Program:
    """A program that serves HTTP."""

    port: int
    process: Process
    sign_of_life: str

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"


class Stage:
    """Starts programs; all of them stop with the block."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._programs: list[Program] = []

    def api(self) -> Program:
        """Start the API, with a database of its own and every setting at its default."""
        port = free_port()
        database = {"PSM_DATABASE_URL": f"sqlite:///{self._folder}/{port}.sqlite3"}
        command = python("-m", CLI, "serve", *QUIET, "--port", str(port))
        return self._start(command, port, "/health/ready", database)

    def baseline(self) -> tuple[Program, Path]:
        """Start the baseline; return it with its database."""
        database = self._folder / "baseline.sqlite3"
        return self._uvicorn("baseline", "/docs", {"BASELINE_DB": str(database)}), database

    def noop(self) -> Program:
        """Start the server that does nothing."""
        return self._uvicorn("noop", "/alive", {})

    def app(self, name: str, **env: str) -> Program:
        """Serve one of the Panel apps."""
        port = free_port()
        command = panel_serve(
            PROGRAMS / f"{name}.py", port, f"--allow-websocket-origin=127.0.0.1:{port}", *QUIET
        )
        return self._start(command, port, "/static/js/bokeh.min.js", env)

    def dashboard(self, server: str) -> Program:
        """Serve the dashboard of an API."""
        port = free_port()
        origin = f"--allow-websocket-origin=127.0.0.1:{port}"
        command = panel_serve("src/entrypoints/monitor.py", port, origin, *QUIET)
        env = {"PSM_SERVER_URL": server}
        return self._start(command, port, "/static/js/bokeh.min.js", env)

    def ready(self) -> None:
        """Wait until everything that was started answers."""
        for program in self._programs:
            program.process.answers(program.url + program.sign_of_life)

    def end(self) -> None:
        """Ask all programs to end, at the same time."""
        for program in self._programs:
            program.process.send(SIGTERM)

    def _uvicorn(self, name: str, sign_of_life: str, env: dict[str, str]) -> Program:
        port = free_port()
        command = python("-m", "uvicorn", f"benchmarks.{name}:app", "--no-access-log", *QUIET)
        return self._start([*command, "--port", str(port)], port, sign_of_life, env)

    def _start(
        self, command: list[str | Path], port: int, sign_of_life: str, env: dict[str, str]
    ) -> Program:
        process = Process(command, self._folder / f"{port}.log", env)
        self._stack.callback(process.stop)
        program = Program(port, process, sign_of_life)
        self._programs.append(program)
        return program


@contextmanager
def stage() -> Iterator[Stage]:
    """Give a stage with a folder of its own; if the block fails, show what the programs said."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        on = Stage(Path(folder), stack)
        try:
            yield on
        except Exception:
            for log in Path(folder).glob("*.log"):
                print(log.read_text(errors="replace")[-2000:])
            raise
        finally:
            on.end()
