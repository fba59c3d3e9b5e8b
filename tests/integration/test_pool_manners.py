"""How a pool shares out its workers, and how it treats work that does not stop by itself."""

import asyncio
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from panel_session_monitor.adapters.pool import ProcessPool
from panel_session_monitor.application.pool import Work
from panel_session_monitor.application.pool_ports import Call

from ..contracts.pool import PATIENCE, begun, called
from ..fakes.progress import RecordedProgress
from ..support import work
from ..support.children import children, running
from ..support.processes import eventually

pytestmark = pytest.mark.alone


async def test_a_session_with_much_work_does_not_hold_up_another(single: ProcessPool) -> None:
    shown = RecordedProgress()
    busy, other = Work(single), Work(single)
    much = asyncio.ensure_future(busy.map(work.slowly, range(200), task=shown))
    await asyncio.to_thread(shown.wait, 16)

    assert await other.apply(work.double, 1) == 2

    assert len(shown.all) < 100
    much.cancel()


def test_calls_go_to_the_worker_that_has_the_fewest(pool: ProcessPool, tmp_path: Path) -> None:
    for number in range(4):
        begun(pool, work.tell_pid_and_wait, tmp_path, number)

    noted = [int((tmp_path / f"{number}.pid").read_text()) for number in range(4)]

    assert sorted(noted.count(each) for each in children(os.getpid())) == [2, 2]


def test_plain_functions_do_not_wait_behind_one_another_while_a_worker_is_free(
    pool: ProcessPool, tmp_path: Path
) -> None:
    standing = begun(pool, work.until_stopped_plainly, tmp_path, 1)

    calls = [pool.submit(Call(function=work.double_plainly, args=(each,))) for each in range(10)]

    assert [each.result(PATIENCE) for each in calls] == list(range(0, 20, 2))
    assert not standing.done()


def test_progress_is_merged_and_its_last_word_comes(single: ProcessPool) -> None:
    seen: list[float] = []

    call = single.submit(Call(function=work.report_much, on_progress=seen.append))

    eventually(lambda: seen and seen[-1] == 0.5)
    assert len(seen) < 200
    call.cancel()


def test_nobody_is_shown_the_progress_of_a_call_that_is_over(
    single: ProcessPool, tmp_path: Path
) -> None:
    seen: list[float] = []
    began = threading.Event()

    def show(fraction: float) -> None:
        seen.append(fraction)
        began.set()

    call = Call(function=work.report_when_stopped, args=(tmp_path, 1), on_progress=show)
    future = single.submit(call)
    assert began.wait(PATIENCE)
    future.cancel()

    eventually(lambda: work.notes(tmp_path))
    assert called(single, work.double_plainly, 1) == 2
    assert seen == [0.0]


def test_the_last_word_of_a_call_that_has_returned_is_dropped(single: ProcessPool) -> None:
    seen: list[float] = []

    single.submit(Call(function=work.report_to_the_end, on_progress=seen.append)).result(PATIENCE)

    assert called(single, work.slowly, 1) == 2  # longer than progress is held back
    assert seen == [0.1]


def test_a_coroutine_that_does_not_look_is_cancelled_and_its_worker_stays(
    single: ProcessPool, tmp_path: Path
) -> None:
    pid = called(single, work.pid)
    call = begun(single, work.note_cancellation, tmp_path, 1)

    ordered = time.monotonic()
    call.cancel()
    [noted] = eventually(lambda: list(work.notes(tmp_path).values()))

    assert noted - ordered >= 2.0
    assert called(single, work.pid) == pid


def test_the_only_worker_is_replaced_and_ended_if_it_heeds_nothing(single: ProcessPool) -> None:
    call = begun(single, work.heed_no_signal)
    [stubborn] = children(os.getpid())

    call.cancel()

    assert called(single, work.pid) != stubborn
    eventually(lambda: not running(stubborn))
    assert called(single, work.double, 1) == 2
    eventually(lambda: single.processes == 1)


def test_a_worker_ignores_interrupts_and_what_it_starts_need_not(single: ProcessPool) -> None:
    assert called(single, work.interrupts) == (True, False)
    [pid] = children(os.getpid())

    os.kill(pid, signal.SIGINT)

    assert called(single, work.pid) == pid


def test_arguments_are_sent_as_they_were_when_the_call_was_made(single: ProcessPool) -> None:
    items = [1, 2]

    call = single.submit(Call(function=sum, args=(items,), stoppable=False))
    items.append(3)

    assert call.result(PATIENCE) == 3


def test_a_pool_with_nothing_to_do_does_nothing(pool: ProcessPool) -> None:
    called(pool, work.double, 1)
    [thread] = [each for each in threading.enumerate() if each.name.endswith("monitor-pool")]
    assert thread.ident
    clock = time.pthread_getcpuclockid(thread.ident)

    before = time.clock_gettime(clock)
    threading.Event().wait(2.0)

    assert time.clock_gettime(clock) - before < 0.01
