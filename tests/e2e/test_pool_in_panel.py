"""The worker pool of a served app: its sessions share it, and it ends with the last of them."""

import os
import signal

import httpx
import pytest

from ..support.children import children, running
from ..support.pooled import GONE_WITHIN, World, serve
from ..support.processes import eventually
from .conftest import Start

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def world(start: Start, tmp_path_factory: pytest.TempPathFactory) -> World:
    script, options = "tests/e2e/apps/pooled.py", ("--unused-session-lifetime", "600000")
    return serve(start, tmp_path_factory.mktemp("world"), script, *options, processes=2)


def visit(world: World) -> None:
    """Open a session, and wait until its work has begun."""
    known = world.working()
    assert httpx.get(world.page, timeout=60).is_success
    eventually(lambda: len(world.working()) > len(known))


def test_kill_all_leaves_no_process_and_a_new_session_gets_a_new_pool(world: World) -> None:
    visit(world)
    visit(world)
    eventually(lambda: any(each["progress"] is not None for each in world.working()))
    workers = children(world.app.pid)
    assert len(workers) == 2

    killed = httpx.post(f"{world.api}/apps/pooled/kill-all").json()
    eventually(lambda: not children(world.app.pid), GONE_WITHIN)

    assert killed["kill_requested"] == 2
    visit(world)
    eventually(lambda: len(children(world.app.pid)) == 2)
    assert not children(world.app.pid) & workers


def test_an_interrupt_at_the_terminal_ends_all_of_it_quietly(world: World) -> None:
    workers = eventually(lambda: children(world.app.pid))

    os.killpg(world.app.pid, signal.SIGINT)
    world.app.wait()

    eventually(lambda: not any(running(each) for each in workers), GONE_WITHIN)
    assert "Traceback" not in world.app.output, world.app.output
