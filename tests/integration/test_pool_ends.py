"""However a process ends, its workers end with it, as the process table shows."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from ..support.children import children, running
from ..support.processes import ROOT, Process, eventually, python

pytestmark = pytest.mark.alone

GONE_WITHIN = 3.5

PROCESSES = 3
"""Two workers and a manager."""

UNGUARDED = """
import asyncio
from panel_session_monitor.pool import get_pool

asyncio.run(get_pool().apply(asyncio.sleep, (0,)))
"""

Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path, request: pytest.FixtureRequest) -> Start:
    """Start a script that finds the tests' functions, in two worker processes."""

    def launch(*arguments: str | Path, **settings: str) -> Process:
        env = {"PYTHONPATH": str(ROOT), "PSM_POOL_PROCESSES": "2", **settings}
        process = Process(python(*arguments), tmp_path / "log", env)
        request.addfinalizer(process.stop)
        return process

    return launch


def working(
    start: Start, then: str, function: str = "heed_nothing_for"
) -> tuple[Process, set[int]]:
    """Start a script whose workers heed nothing; return it with all its children."""
    process = start(ROOT / "tests/support/pool_script.py", then, function)
    eventually(lambda: "working" in process.output or _ended(process))
    found = children(process.pid)
    if then != "exit":
        assert len(found) == PROCESSES, process.output
    return process, found


def _ended(process: Process) -> bool:
    return not running(process.pid)


@pytest.mark.parametrize(
    ("then", "number", "function"),
    [
        ("exit", None, "heed_nothing_for"),
        ("hang", signal.SIGTERM, "heed_nothing_for"),
        ("wait", signal.SIGTERM, "heed_nothing_for"),
        ("hang", signal.SIGKILL, "heed_nothing_for"),
        ("hang", signal.SIGKILL, "hold_the_interpreter_for"),
        ("wait", signal.SIGINT, "heed_nothing_for"),
    ],
)
def test_the_workers_end_with_their_parent(
    start: Start, then: str, number: signal.Signals | None, function: str
) -> None:
    process, found = working(start, then, function)

    if number:
        process.send(number)
    process.wait()

    eventually(lambda: not any(running(each) for each in found), GONE_WITHIN)
    assert "Traceback" not in process.output, process.output


def test_an_interrupt_of_the_terminal_is_the_parents_alone(start: Start) -> None:
    process, found = working(start, "wait")

    os.killpg(process.pid, signal.SIGINT)
    process.wait()

    eventually(lambda: not any(running(each) for each in found), GONE_WITHIN)
    assert "Traceback" not in process.output, process.output


def test_a_script_without_a_guard_is_told(start: Start, tmp_path: Path) -> None:
    script = tmp_path / "unguarded.py"
    script.write_text(UNGUARDED)

    process = start(script)

    assert process.wait() == 1
    assert "PoolClosed: its workers end before they begin" in process.output
    assert 'under `if __name__ == "__main__":`' in process.output


@pytest.mark.parametrize("number", ["0", "10000", "-1", "many"])
def test_an_unreasonable_number_of_processes_is_refused_in_a_line(
    start: Start, number: str
) -> None:
    code = "from panel_session_monitor.pool import get_pool; get_pool()"

    process = start("-c", code, PSM_POOL_PROCESSES=number)

    assert process.wait() == 1
    assert process.output.splitlines()[-1].startswith(
        "panel_session_monitor.entrypoints.settings.BadSetting: PSM_POOL_PROCESSES: Expected `int"
    )
