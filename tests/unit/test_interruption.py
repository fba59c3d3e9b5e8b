"""Interruptible tasks: a kill ends their blocks, and nothing but their blocks."""

import asyncio
import logging
import random
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent import futures
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from queue import SimpleQueue
from types import FrameType
from typing import Self, TypeVar

import pytest
from panel_session_monitor.adapters.interruption import Interruptions, raiser
from panel_session_monitor.application.app_ports import Block, SessionKilled
from panel_session_monitor.application.link import Link
from panel_session_monitor.application.task import InterruptibleTask, Task
from panel_session_monitor.application.tracker import Tracker
from panel_session_monitor.application.tracking import TrackedSession, Tracking

from ..fakes.clock import SettableClock
from ..fakes.examples import a_process
from ..fakes.host import RecordingHost
from ..fakes.ids import SequentialIds
from ..fakes.monitor import InMemoryMonitor
from ..fakes.sessions import InMemorySessions
from ..fakes.vitals import FixedVitals

T = TypeVar("T")
PATIENCE = 10.0


@dataclass(slots=True)
class Work:
    """A process with sessions that have interruptible tasks."""

    interruptions: Interruptions = field(default_factory=lambda: Interruptions(raiser()))
    tracking: Tracking = field(
        default_factory=lambda: Tracking(a_process(), SettableClock(), SequentialIds())
    )

    def session(self) -> TrackedSession:
        return self.tracking.open("sales", None, RecordingHost())

    def task(self, session: TrackedSession) -> Task:
        return InterruptibleTask(self.tracking, session, "Loading", self.interruptions)

    def plain(self, session: TrackedSession) -> Task:
        return Task(self.tracking, session, "Loading", self.interruptions)


@pytest.fixture
def work() -> Work:
    return Work()


def in_thread(function: Callable[[], T]) -> Future[T]:
    """Run in a thread that does not hold up the tests' end, should it hang."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


# In a thread


def test_a_loop_that_never_ends_is_ended(work: Work) -> None:
    killed, begun = work.session(), threading.Event()

    def run_away() -> None:
        with work.task(killed):
            begun.set()
            while True:
                pass

    running = in_thread(run_away)
    assert begun.wait(PATIENCE)

    killed.blocks.interrupt()

    assert isinstance(running.exception(PATIENCE), SessionKilled)
    assert killed.tasks == []


def test_a_loop_that_survives_every_error_is_ended_too(work: Work) -> None:
    killed, begun = work.session(), threading.Event()

    def survive() -> None:
        with work.task(killed):
            while True:
                try:
                    begun.set()
                    _ = 1 / 0
                except Exception:
                    continue

    running = in_thread(survive)
    assert begun.wait(PATIENCE)

    killed.blocks.interrupt()

    assert isinstance(running.exception(PATIENCE), SessionKilled)


def test_every_thread_of_the_killed_session_is_interrupted_and_no_other(work: Work) -> None:
    killed, spared, stop = work.session(), work.session(), threading.Event()

    def loop(session: TrackedSession, begun: threading.Event) -> None:
        with work.task(session):
            begun.set()
            while not stop.is_set():
                pass

    def begin(session: TrackedSession) -> Future[None]:
        begun = threading.Event()
        running = in_thread(lambda: loop(session, begun))
        assert begun.wait(PATIENCE)
        return running

    first, second, other = begin(killed), begin(killed), begin(spared)

    killed.blocks.interrupt()

    assert isinstance(first.exception(PATIENCE), SessionKilled)
    assert isinstance(second.exception(PATIENCE), SessionKilled)
    assert not other.done()
    stop.set()
    assert other.result(PATIENCE) is None


def test_after_its_end_a_block_is_not_interrupted(work: Work) -> None:
    killed = work.session()

    with work.task(killed):
        pass
    killed.blocks.interrupt()

    assert killed.tasks == []


def test_a_task_that_is_not_interruptible_goes_on(work: Work) -> None:
    killed = work.session()

    with work.plain(killed):
        killed.blocks.interrupt()
        went_on = True

    assert went_on


def test_what_a_task_tells_is_told_before_the_interruption(work: Work) -> None:
    killed = work.session()

    def report() -> None:
        with work.task(killed) as task:
            work.tracking.wake = killed.blocks.interrupt
            task.progress = 0.5
            pytest.fail("it comes at once")

    with pytest.raises(SessionKilled):
        report()

    assert killed.activity == len(["begun", "advanced", "finished"])
    assert killed.tasks == []


def test_a_task_within_the_block_is_told_of_before_the_interruption(work: Work) -> None:
    killed, other = work.session(), work.session()

    with pytest.raises(SessionKilled), work.task(killed), work.plain(other):
        work.tracking.wake = killed.blocks.interrupt

    assert (killed.tasks, other.tasks) == ([], [])


def test_a_task_within_the_block_is_over_if_the_interruption_comes_as_it_begins(
    work: Work,
) -> None:
    killed, other = work.session(), work.session()

    def begin() -> None:
        with work.task(killed):
            work.tracking.wake = killed.blocks.interrupt
            with work.plain(other):
                pytest.fail("it comes at once")

    with pytest.raises(SessionKilled):
        begin()

    assert (killed.tasks, other.tasks) == ([], [])


def test_the_end_of_another_session_is_seen_to_before_the_interruption(work: Work) -> None:
    killed, other, ran = work.session(), work.session(), threading.Event()
    link = Link(
        tracking=work.tracking,
        monitor=InMemoryMonitor(sessions=InMemorySessions(), clock=SettableClock()),
        clock=SettableClock(),
        vitals=FixedVitals(),
        random=lambda: 0.0,
    )
    tracker = Tracker(link, other, work.interruptions)
    tracker.on_kill(ran.set)

    def close() -> None:
        with work.task(killed):
            work.tracking.wake = killed.blocks.interrupt
            tracker.close()
            pytest.fail("it comes at once")

    with pytest.raises(SessionKilled):
        close()

    assert ran.wait(PATIENCE)
    link.shut_down()


def test_a_block_that_cannot_be_interrupted_does_not_save_the_others(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    killed, begun = work.session(), threading.Event()

    def run_away() -> None:
        with work.task(killed):
            begun.set()
            while True:
                pass

    def break_down() -> Callable[[int], object]:
        raise ImportError("_ctypes")

    broken = Work(Interruptions(break_down), work.tracking)
    with broken.task(killed):
        running = in_thread(run_away)
        assert begun.wait(PATIENCE)

        killed.blocks.interrupt()

    assert isinstance(running.exception(PATIENCE), SessionKilled)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_block_may_end_while_the_means_to_interrupt_it_are_imported() -> None:
    asked, left, raised_in = threading.Event(), threading.Event(), list[int]()

    def load() -> Callable[[int], object]:
        asked.set()
        assert left.wait(PATIENCE)
        return raised_in.append

    work = Work(Interruptions(load))
    killed = work.session()

    def wait() -> None:
        with work.task(killed):
            begun.set()
            asked.wait(PATIENCE)
        left.set()

    begun = threading.Event()
    running = in_thread(wait)
    assert begun.wait(PATIENCE)

    killed.blocks.interrupt()

    running.result(PATIENCE)
    assert raised_in == []


def test_nested_blocks_are_interrupted_once() -> None:
    raised_in: list[int] = []
    work = Work(Interruptions(lambda: raised_in.append))
    killed = work.session()

    with work.task(killed), work.task(killed):
        killed.blocks.interrupt()

    assert raised_in == [threading.get_ident()]


def test_the_end_of_an_inner_block_leaves_the_outer_one_in_force(work: Work) -> None:
    killed = work.session()

    def nest() -> None:
        with work.task(killed):
            with work.task(killed):
                pass
            killed.blocks.interrupt()
            pytest.fail("it comes at once")

    with pytest.raises(SessionKilled):
        nest()


def test_a_killed_session_begins_no_interruptible_block(work: Work) -> None:
    killed = work.session()
    killed.blocks.interrupt()

    with pytest.raises(SessionKilled), work.task(killed):
        pytest.fail("it does not begin")

    assert killed.tasks == []


def test_threads_that_share_a_task_leave_it_each_for_itself(work: Work) -> None:
    killed, begun, stop = work.session(), threading.Event(), threading.Event()
    shared = work.task(killed)

    def loop() -> None:
        with shared:
            begun.set()
            while not stop.is_set():
                pass

    with shared:
        other = in_thread(loop)
        assert begun.wait(PATIENCE)
    killed.blocks.interrupt()  # of this thread, nothing; of the other one, its block

    assert isinstance(other.exception(PATIENCE), SessionKilled)


class StruckAtItsEnd:
    """Gives blocks, itself, whose interruption is on its way, to strike in that step of the end."""

    def __init__(self, step: str) -> None:
        self.step = step

    def block(self, caller: FrameType) -> Self:
        return self

    def shelter(self) -> AbstractContextManager[None]:
        return nullcontext()

    def here(self) -> bool:
        if self.step == "here":
            raise SessionKilled
        return True

    def open(self) -> None:
        pass

    def leave(self) -> None:
        raise SessionKilled

    def interrupt(self) -> None:
        pass


@pytest.mark.parametrize("step", ["here", "leave"])
@pytest.mark.parametrize(("error", "raised"), [(None, SessionKilled), (KeyError(), KeyError)])
def test_an_interruption_at_the_blocks_end_does_not_hide_its_error(
    work: Work, error: Exception | None, raised: type[BaseException], step: str
) -> None:
    session = work.session()

    def load() -> None:
        with InterruptibleTask(work.tracking, session, "Loading", StruckAtItsEnd(step)):
            if error:
                raise error

    with pytest.raises(raised):
        load()

    assert session.tasks == []


@dataclass(slots=True)
class Held:
    """A `with` statement that does nothing but hold its block for the test."""

    interruptions: Interruptions
    block: Block | None = None

    def __enter__(self) -> Block:
        self.block = self.interruptions.block(sys._getframe(1))  # noqa: SLF001
        assert self.block
        self.block.open()
        return self.block

    def __exit__(self, *_: object) -> None:
        assert self.block
        self.block.leave()


def test_a_block_that_was_left_is_closed_to_an_interruption_that_comes_late() -> None:
    raised_in: list[int] = []

    with Held(Interruptions(lambda: raised_in.append)) as block:
        pass
    block.interrupt()

    assert raised_in == []


def test_a_block_is_interrupted_once_however_often_it_is_asked_for() -> None:
    raised_in: list[int] = []

    with Held(Interruptions(lambda: raised_in.append)) as block:
        block.interrupt()
        block.interrupt()

    assert raised_in == [threading.get_ident()]


def test_a_call_into_c_that_blocks_returns_first(work: Work) -> None:
    killed, begun, lock = work.session(), threading.Event(), threading.Lock()
    lock.acquire()

    def wait() -> None:
        with work.task(killed):
            begun.set()
            lock.acquire()

    waiting = in_thread(wait)
    assert begun.wait(PATIENCE)

    killed.blocks.interrupt()
    _, blocked = futures.wait([waiting], timeout=0.2)
    lock.release()

    assert blocked
    assert isinstance(waiting.exception(PATIENCE), SessionKilled)
    assert lock.locked()


# Where a thread must not be interrupted


def in_a_generator(work: Work, session: TrackedSession) -> None:
    def generator() -> Iterator[None]:
        with work.task(session):
            yield

    for _ in generator():
        session.blocks.interrupt()


def in_a_coroutine_without_a_loop(work: Work, session: TrackedSession) -> None:
    async def coroutine() -> None:
        with work.task(session):
            session.blocks.interrupt()

    with pytest.raises(StopIteration):
        coroutine().send(None)


def by_an_exit_stack(work: Work, session: TrackedSession) -> None:
    with ExitStack() as stack:
        stack.enter_context(work.task(session))
        session.blocks.interrupt()


def in_a_greenlet(work: Work, session: TrackedSession) -> None:
    def run() -> None:
        with work.task(session):
            session.blocks.interrupt()

    import_module("greenlet").greenlet(run).switch()


@pytest.mark.parametrize(
    ("use", "where"),
    [
        (in_a_generator, "in a generator"),
        (in_a_coroutine_without_a_loop, "in a coroutine outside asyncio"),
        (by_an_exit_stack, "unless a `with` statement enters the task itself"),
        (in_a_greenlet, "in a greenlet"),
    ],
)
def test_code_that_may_stop_within_a_block_is_not_interrupted_and_says_so_once(
    work: Work,
    caplog: pytest.LogCaptureFixture,
    use: Callable[[Work, TrackedSession], None],
    where: str,
) -> None:
    sessions = [work.session(), work.session()]

    for session in sessions:
        use(work, session)

    assert [session.tasks for session in sessions] == [[], []]
    assert len(caplog.messages) == 1
    assert where in caplog.text


def test_a_python_that_cannot_interrupt_threads_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = Work(Interruptions(None))
    killed = work.session()

    with work.task(killed):
        killed.blocks.interrupt()
    with pytest.raises(SessionKilled), work.task(killed):
        pytest.fail("it does not begin")

    assert [record.levelno for record in caplog.records] == [logging.WARNING]


# In asyncio


@pytest.mark.parametrize("kind", ["async with", "with"])
async def test_a_coroutine_that_waits_is_cancelled_and_no_other(work: Work, kind: str) -> None:
    killed, spared = work.session(), work.session()

    async def wait(session: TrackedSession) -> None:
        if kind == "with":
            with work.task(session):
                await asyncio.Event().wait()
        async with work.task(session):
            await asyncio.Event().wait()

    waiting = {each: asyncio.create_task(wait(each)) for each in (killed, spared)}
    await asyncio.sleep(0)

    await asyncio.to_thread(killed.blocks.interrupt)
    await asyncio.wait([waiting[killed]], timeout=PATIENCE)

    assert waiting[killed].cancelled()
    assert killed.tasks == []
    assert not waiting[spared].done()
    waiting[spared].cancel()


async def test_a_coroutine_whose_block_is_over_is_not_cancelled(work: Work) -> None:
    killed = work.session()

    async with work.task(killed):
        killed.blocks.interrupt()
    come_round = asyncio.Event()
    asyncio.get_running_loop().call_soon(come_round.set)  # after all that is due by now
    await come_round.wait()

    task = asyncio.current_task()
    assert task
    assert task.cancelling() == 0


async def test_nested_blocks_of_a_coroutine_are_cancelled_once(work: Work) -> None:
    killed, task = work.session(), asyncio.current_task()
    assert task

    async def nest() -> None:
        async with work.task(killed), work.task(killed):
            killed.blocks.interrupt()
            await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        await nest()

    assert task.cancelling() == 1
    task.uncancel()


async def test_a_killed_session_begins_no_block_in_a_coroutine(work: Work) -> None:
    killed = work.session()
    killed.blocks.interrupt()

    with pytest.raises(SessionKilled):
        async with work.task(killed):
            pytest.fail("it does not begin")

    assert killed.tasks == []


async def test_an_asynchronous_generator_is_not_cancelled(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    killed = work.session()

    async def generator() -> AsyncIterator[None]:
        async with work.task(killed):
            yield

    async for _ in generator():
        killed.blocks.interrupt()
        await asyncio.sleep(0)

    assert "in a generator" in caplog.text


def test_a_loop_that_is_closed_is_no_hindrance(work: Work) -> None:
    killed, loop = work.session(), asyncio.new_event_loop()

    async def wait() -> None:
        async with work.task(killed):
            await asyncio.Event().wait()

    task = loop.create_task(wait())
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()

    killed.blocks.interrupt()

    assert not task.done()
    task.get_coro().close()
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001


# The race at the block's end


def loops(work: Work, session: TrackedSession, task: Task) -> None:
    """Go round a few times."""
    for each in range(random.randrange(4)):
        str(each)


def reports(work: Work, session: TrackedSession, task: Task) -> None:
    """Tell how far it is."""
    for each in range(random.randrange(4)):
        task.progress = each / 4


def nests(work: Work, session: TrackedSession, task: Task) -> None:
    """Have blocks of both kinds within."""
    with work.plain(session):
        loops(work, session, task)
    with work.task(session) as inner:
        reports(work, session, inner)


def fails(work: Work, session: TrackedSession, task: Task) -> None:
    """End by an error."""
    loops(work, session, task)
    raise ValueError


Body = Callable[[Work, TrackedSession, Task], None]


def end_of(work: Work, session: TrackedSession, body: Body) -> str:
    """Run `body` in a block and tell how that ends."""
    try:
        with work.task(session) as task:
            body(work, session, task)
    except SessionKilled:
        return "killed"
    except ValueError:
        return "failed"
    return "done"


def interrupt_all(sessions: "SimpleQueue[TrackedSession | None]", taken: threading.Event) -> None:
    """Interrupt one session after the other, soon after it is given."""
    while session := sessions.get():
        for _ in range(random.randrange(200)):
            pass
        session.blocks.interrupt()
        taken.set()


def race(work: Work, body: Body, rounds: int) -> Counter[str]:
    """Let sessions be killed around their blocks' ends, beside one that is not, in one thread.

    As often as asked, and then until both ways to end have come about: how often depends on the
    machine.
    """
    spared, ends = work.session(), Counter[str]()
    sessions: SimpleQueue[TrackedSession | None] = SimpleQueue()
    taken = threading.Event()
    interrupting = in_thread(lambda: interrupt_all(sessions, taken))
    while ends.total() < rounds or len(ends) < 2:
        killed = work.session()
        taken.clear()
        sessions.put(killed)
        end = end_of(work, killed, body)
        assert end_of(work, spared, body) in {"done", "failed"}
        assert spared.tasks == []
        assert end == "killed" or killed.tasks == []
        ends[end] += 1
        assert taken.wait(PATIENCE)
        work.tracking.close(killed)
    sessions.put(None)
    interrupting.result(PATIENCE)
    return ends


ROUNDS = [2_000, pytest.param(100_000, marks=pytest.mark.long)]


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("body", [loops, reports, nests, fails])
def test_nothing_is_raised_after_a_block(work: Work, hurry: None, body: Body, rounds: int) -> None:
    told = threading.Event()
    work.tracking.wake = told.set  # as the link's: with a lock of Python code

    ends = in_thread(lambda: race(work, body, rounds)).result(rounds / 50)

    assert set(ends) == {"killed", "failed" if body is fails else "done"}


async def cancellation_race(work: Work, rounds: int) -> Counter[str]:
    """Let sessions be killed around their blocks' ends, beside one that is not, in one loop."""
    sessions: SimpleQueue[TrackedSession | None] = SimpleQueue()
    interrupting = in_thread(lambda: interrupt_all(sessions, threading.Event()))
    spared, ends = work.session(), Counter[str]()

    async def wait(session: TrackedSession) -> str:
        try:
            async with work.task(session):
                for _ in range(random.randrange(4)):
                    await asyncio.sleep(0)
        except (asyncio.CancelledError, SessionKilled):
            end = "killed"
        else:
            end = "done"
        for _ in range(4):
            await asyncio.sleep(0)
        return end

    for _ in range(rounds):
        killed = work.session()
        sessions.put(killed)
        end, other = await asyncio.gather(wait(killed), wait(spared))
        assert (other, killed.tasks, spared.tasks) == ("done", [], [])
        ends[end] += 1
        work.tracking.close(killed)
    sessions.put(None)
    await asyncio.wrap_future(interrupting)
    return ends


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_nothing_is_cancelled_after_a_block(work: Work, hurry: None, rounds: int) -> None:
    ends = await cancellation_race(work, rounds)

    assert set(ends) == {"killed", "done"}
