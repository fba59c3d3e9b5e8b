"""Interruptions of the app's work: an exception in a thread, the cancellation of an asyncio task.

CPython looks for an exception that another thread has set whenever a function begins, a call
returns or a loop goes round. So it may come anywhere within a `with` statement, the first
instruction of `__enter__` and of `__exit__` included, yet never between the two and the body.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from contextvars import Context
from dis import opmap
from importlib.util import find_spec
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_ITERABLE_COROUTINE
from threading import Lock, get_ident
from types import FrameType
from typing import Any
from weakref import WeakSet

from ..application.app_ports import Block, SessionKilled

log = logging.getLogger("panel_session_monitor")

Raise = Callable[[int], object]
"""Has SessionKilled raised in the thread of that id, the next time that CPython looks."""

Raiser = Callable[[], Raise]
"""Returns it, and takes its time: ctypes is imported when the first session is killed."""

SUSPENDABLE = CO_GENERATOR | CO_COROUTINE | CO_ITERABLE_COROUTINE | CO_ASYNC_GENERATOR
"""Flags of code that may stop within a block, while its thread runs somebody else's."""

BEFORE_WITH = opmap.get("BEFORE_WITH")
"""The instruction of a `with` statement that calls `__enter__`; up to CPython 3.13."""

NO_BLOCK: AbstractContextManager[None] = nullcontext()


def raiser() -> Raiser | None:
    """Return what raises SessionKilled in another thread; None where this Python cannot."""
    able = sys.implementation.name == "cpython" and BEFORE_WITH and find_spec("_ctypes")
    return _load if able else None


def _load() -> Raise:
    import ctypes  # noqa: PLC0415  # takes milliseconds, and most sessions are never killed

    killed = ctypes.py_object(SessionKilled)

    def raise_killed(thread: int) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), killed)

    return raise_killed


class Interruptions:
    """Gives blocks: at most one is in force in a thread or an asyncio task, the outermost."""

    def __init__(self, raiser: Raiser | None) -> None:
        self._raiser = raiser
        self._in_threads: dict[int, _ThreadBlock] = {}
        self._in_tasks: WeakSet[asyncio.Task[Any]] = WeakSet()
        self._told: set[str] = set()

    def block(self, caller: FrameType) -> Block | None:
        """Return a block, closed, for the `with` statement that `caller` is about to enter.

        None where it cannot be interrupted, and within another block, with which it ends.
        """
        if caller.f_code.co_flags & CO_COROUTINE and (task := _current_task()):
            return None if task in self._in_tasks else _TaskBlock(task, self._in_tasks)
        outer = self._in_threads.get(get_ident())
        if outer and not outer.struck:  # one that has struck may be over: see `leave`
            return None
        where = _hindrance(caller) if self._raiser else "in threads under this Python"
        if self._raiser and not where:
            return _ThreadBlock(self._raiser, self._in_threads)
        if where not in self._told:
            self._told.add(where)
            log.warning("interruptible=True has no effect %s", where)
        return None

    def shelter(self) -> AbstractContextManager[object]:
        """Close the thread's block for a while: what runs within is not torn by an interruption.

        Locks of Python code need it: whoever is interrupted in `Event.set` never releases its lock.
        """
        return self._in_threads.get(get_ident(), NO_BLOCK)


class _ThreadBlock:
    """Work in a thread: closed while `_closed` is not 0, open to one interruption else."""

    __slots__ = ("_blocks", "_closed", "_due", "_lock", "_raiser", "_thread", "struck")

    def __init__(self, raiser: Raiser, blocks: "dict[int, _ThreadBlock]") -> None:
        self._raiser = raiser
        self._blocks = blocks
        self._thread = get_ident()
        self._lock = Lock()
        self._closed = 1
        self._due = False
        self.struck = False
        blocks[self._thread] = self

    def here(self) -> bool:
        return self._thread == get_ident()

    def interrupt(self) -> None:
        raise_in = self._raiser()  # before the lock is taken: the block's thread may import, too
        with self._lock:
            if self.struck:
                return
            self.struck = True
            if self._closed:
                self._due = True
            else:
                raise_in(self._thread)

    def open(self) -> None:
        with self._lock:
            self._closed -= 1
            due = self._due and not self._closed
            self._due = self._due and not due
        if due:
            raise SessionKilled

    def leave(self) -> None:
        # Not reached where the interruption strikes at the first instruction of `__exit__`, nor
        # is it then needed: it strikes once.
        self._close()
        if self._blocks.get(self._thread) is self:
            del self._blocks[self._thread]

    def _close(self) -> None:
        with self._lock:
            self._closed += 1
        # An exception set before is raised here at the latest, as the call that releases the lock
        # returns. Taking it back would not do: CPython then goes on to look for it in vain.

    def __enter__(self) -> None:
        self._close()

    def __exit__(self, *_: object) -> None:
        self.open()


class _TaskBlock:
    """Work in an asyncio task, which is cancelled while it waits within the block.

    Code that never awaits is not reached: by the time that an exception set from outside is
    raised, the thread may be running another task.
    """

    __slots__ = ("_over", "_task", "_tasks")

    def __init__(self, task: asyncio.Task[Any], tasks: WeakSet[asyncio.Task[Any]]) -> None:
        self._task = task
        self._tasks = tasks
        self._over = False
        tasks.add(task)

    def here(self) -> bool:
        return self._task is _current_task()

    def interrupt(self) -> None:
        with suppress(RuntimeError):  # the loop is closed, and nothing runs there any more
            self._task.get_loop().call_soon_threadsafe(self._cancel, context=Context())

    def open(self) -> None:
        """Nothing is to be done: until it waits for something, it cannot be cancelled."""

    def leave(self) -> None:
        self._over = True
        self._tasks.discard(self._task)

    def _cancel(self) -> None:
        if not self._over:
            self._over = True
            self._task.cancel()


def _hindrance(caller: FrameType) -> str:
    """Tell where a thread cannot be interrupted without harm to others."""
    if caller.f_code.co_flags & SUSPENDABLE:
        return "in a generator, nor in a coroutine outside asyncio"
    if caller.f_code.co_code[caller.f_lasti] != BEFORE_WITH:
        return "unless a `with` statement enters the task itself"
    return "in a greenlet" if _in_greenlet() else ""


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        return None


def _in_greenlet() -> bool:
    """Tell whether plain functions can be suspended here too, as SQLAlchemy's `run_sync` does."""
    greenlet = sys.modules.get("greenlet")
    return greenlet is not None and greenlet.getcurrent().parent is not None
