"""The contract of `WorkerPool`: work is done, stopped and told apart, and nobody waits for ever.

A test module gives the fixture `pool`, which is open, and derives a class. What has processes that
may die derives from `ProcessesContract`.
"""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from panel_session_monitor.application.pool_ports import (
    Call,
    NotSendable,
    PoolClosed,
    PoolError,
    WorkerDied,
    WorkerPool,
)

from ..support import work
from ..support.processes import eventually

PATIENCE = 20.0


def called(pool: WorkerPool, function: Callable[..., Any], *args: object) -> Any:
    """Return what a call of the pool does."""
    return pool.submit(Call(function=function, args=args)).result(PATIENCE)


def begun(pool: WorkerPool, function: Callable[..., Any], *args: object) -> Future[Any]:
    """Return a call that has begun: it has reported progress."""
    seen = threading.Event()
    future = pool.submit(Call(function=function, args=args, on_progress=lambda _: seen.set()))
    assert seen.wait(PATIENCE)
    return future


class WorkerPoolContract:
    """What a pool promises to the sessions of an app."""

    @pytest.mark.parametrize("function", [work.double, work.double_plainly, work.double_later])
    def test_functions_of_all_kinds_are_called(
        self, pool: WorkerPool, function: Callable[..., Any]
    ) -> None:
        calls = [pool.submit(Call(function=function, args=(number,))) for number in range(50)]

        results = [each.result(PATIENCE) for each in calls]

        assert results == [2 * number for number in range(50)]

    def test_a_function_may_do_without_a_stop_event(self, pool: WorkerPool) -> None:
        call = Call(function=partial(pow, 2), args=(5,), kwds={"mod": 10}, stoppable=False)

        assert pool.submit(call).result(PATIENCE) == 2

    def test_an_error_is_the_callers_and_says_where_it_was_raised(self, pool: WorkerPool) -> None:
        with pytest.raises(KeyError, match="lost") as caught:
            called(pool, work.fail)

        assert "in fail" in "".join(caught.value.__notes__)

    @pytest.mark.parametrize(
        ("function", "error"),
        [
            (work.fail_unspeakably, work.Unspeakable),
            (work.fail_with_strange_notes, work.UnspeakableNotes),
        ],
    )
    def test_an_error_that_cannot_be_told_in_words_comes_too(
        self, pool: WorkerPool, function: Callable[..., Any], error: type[Exception]
    ) -> None:
        with pytest.raises(error):
            called(pool, function)

        assert called(pool, work.double, 1) == 2

    @pytest.mark.parametrize(
        ("function", "argument", "complaint"),
        [
            pytest.param(
                lambda _: 1, None, "the function .*lambda.* cannot be sent", id="function"
            ),
            pytest.param(work.double, threading.Lock(), "the arguments of .*double", id="argument"),
            pytest.param(
                work.double, work.Treacherous(), "the arguments of .*double", id="unpickling"
            ),
            pytest.param(
                work.double, work.Refusing(work.Unspeakable()), "Unspeakable", id="no-words"
            ),
            pytest.param(
                work.double,
                work.Refusing(SystemExit(3)),
                "the arguments of .*SystemExit",
                id="exit",
            ),
            pytest.param(
                work.double,
                work.Exiting(),
                "the arguments of .*SystemExit",
                id="exit-in-the-worker",
            ),
            pytest.param(
                work.return_an_exit, ..., "the result of .*SystemExit", id="exit-on-the-way-back"
            ),
            pytest.param(work.refuse, ..., "the result of .*Unspeakable", id="no-words-for-result"),
            pytest.param(work.return_a_lock, ..., "the result of .*return_a_lock", id="result"),
            pytest.param(work.generate, ..., "the result of .*generate", id="generator"),
            pytest.param(work.fail_awkwardly, ..., "the error of .*Awkward: 1 and 2", id="error"),
        ],
    )
    def test_what_cannot_be_sent_is_named_and_the_pool_lives(
        self, pool: WorkerPool, function: Callable[..., Any], argument: object, complaint: str
    ) -> None:
        args = () if argument is ... else (argument,)

        with pytest.raises(NotSendable, match=complaint):
            called(pool, function, *args)

        assert called(pool, work.double, 1) == 2

    @pytest.mark.parametrize(
        "function",
        [
            work.leave,
            work.end_iteration,
            work.cancel_itself,
            work.fail_as_no_future_takes_it,
            work.fail_with_no_error,
            work.fail_with_an_exit,
        ],
    )
    def test_what_would_end_the_callers_loop_is_an_error(
        self, pool: WorkerPool, function: Callable[..., Any]
    ) -> None:
        with pytest.raises(PoolError, match=function.__name__):
            called(pool, function)

        assert called(pool, work.double, 1) == 2

    def test_progress_is_reported_within_its_bounds(self, pool: WorkerPool) -> None:
        seen: list[float] = []

        pool.submit(Call(function=work.report, on_progress=seen.append)).result(PATIENCE)

        assert seen == [0.25, 1.0, 0.0, 0.0]

    @pytest.mark.parametrize("error", [ValueError("the page is gone"), SystemExit(3)])
    def test_progress_that_cannot_be_shown_does_no_harm(
        self, pool: WorkerPool, error: BaseException
    ) -> None:
        def fail(_: float) -> None:
            raise error

        assert pool.submit(Call(function=work.report, on_progress=fail)).result(PATIENCE) is None
        assert called(pool, work.double, 1) == 2

    def test_whoever_exits_when_a_call_is_done_harms_nobody(self, pool: WorkerPool) -> None:
        call = begun(pool, work.slowly_shown, 1)
        call.add_done_callback(lambda _: sys.exit(3))

        assert call.result(PATIENCE) == 2
        assert called(pool, work.double, 1) == 2

    @pytest.mark.parametrize("function", [work.until_stopped, work.until_stopped_plainly])
    def test_a_cancelled_call_is_told_to_stop(
        self, pool: WorkerPool, function: Callable[..., Any], tmp_path: Path
    ) -> None:
        call = begun(pool, function, tmp_path, 1)

        assert call.cancel()

        eventually(lambda: work.notes(tmp_path))
        assert called(pool, work.double, 1) == 2

    def test_a_call_that_is_cancelled_leaves_the_others_alone(
        self, pool: WorkerPool, tmp_path: Path
    ) -> None:
        call, other = (begun(pool, work.until_stopped, tmp_path, number) for number in (1, 2))

        call.cancel()

        eventually(lambda: work.notes(tmp_path))
        assert work.notes(tmp_path).keys() == {1}
        assert not other.done()

    def test_whoever_waits_for_a_pool_that_is_closed_is_told_at_once(
        self, pool: WorkerPool, tmp_path: Path
    ) -> None:
        calls = [begun(pool, work.until_stopped, tmp_path, number) for number in range(4)]
        calls += [pool.submit(Call(function=work.double, args=(1,))) for _ in range(100)]
        assert not pool.closed

        before = monotonic()
        pool.close()
        errors = [call.exception(PATIENCE) for call in calls if not call.done() or call.exception()]

        assert monotonic() - before < 0.1
        assert {type(error) for error in errors} == {PoolClosed}
        assert pool.closed
        assert pool.join(PATIENCE)

    def test_a_closed_pool_takes_nothing(self, pool: WorkerPool) -> None:
        pool.close()
        pool.close()

        with pytest.raises(PoolClosed):
            called(pool, work.double, 1)


class ProcessesContract(WorkerPoolContract):
    """What a pool promises whose workers are processes, which may die."""

    def test_whoever_waits_for_a_worker_that_dies_is_told(self, pool: WorkerPool) -> None:
        called(pool, work.double, 1)
        before = monotonic()

        with pytest.raises(WorkerDied):
            called(pool, work.die)

        assert monotonic() - before < 1.0

    def test_the_pool_goes_on_with_new_workers(self, pool: WorkerPool) -> None:
        deaths = [pool.submit(Call(function=work.die_beside_another)) for _ in range(10)]
        assert all(isinstance(each.exception(PATIENCE), WorkerDied) for each in deaths)

        assert [called(pool, work.double, number) for number in range(10)] == list(range(0, 20, 2))

    def test_a_function_whose_module_cannot_be_imported_is_named(
        self, pool: WorkerPool, only_here: Callable[..., Any]
    ) -> None:
        with pytest.raises(NotSendable, match=r"the function only_here\.function cannot be imp"):
            called(pool, only_here)

        assert called(pool, work.double, 1) == 2

    def test_work_that_heeds_nothing_is_ended_and_harms_nobody(
        self, pool: WorkerPool, tmp_path: Path
    ) -> None:
        stubborn = [begun(pool, function) for function in (work.never_look, work.heed_nothing)]
        other = begun(pool, work.until_stopped, tmp_path, 1)

        for each in stubborn:
            each.cancel()

        results = [called(pool, work.slowly, number) for number in range(4)]
        results += [called(pool, work.double_plainly, number) for number in range(4)]
        assert results == [0, 2, 4, 6] * 2
        assert not other.done()
