"""The port of the worker pool, and what can go wrong there.

PoolError          the pool could not do its part
├── PoolClosed     the pool is closed, or was closed while the call waited: the next one is new
├── WorkerDied     the call's process died: call again, if the work may be done twice
└── NotSendable    something cannot go from process to process: mend the function or its data
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol


class PoolError(Exception):
    """The pool could not do its part."""


class PoolClosed(PoolError):
    """The pool is closed, or was closed while the call waited."""


class WorkerDied(PoolError):
    """The process that had the call died."""


class NotSendable(PoolError):
    """The function, an argument, the result or the error cannot be sent; the message says which."""


class Stop(Protocol):
    """What a function in the pool is handed as its last argument: its session's stop event.

    All of it is cheap, and may be used from any thread of the worker.
    """

    def is_set(self) -> bool:
        """Tell whether the function is to stop; what it returns then is dropped."""

    def wait(self, timeout: float | None = None) -> bool:
        """Block a plain function for so many seconds, or until it is to stop; tell which."""

    def progress(self, fraction: float) -> None:
        """Report how far the call has come, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a worker is to do: call a coroutine function, or a plain one in a thread of its own."""

    function: Callable[..., Any]
    args: Sequence[Any] = ()
    kwds: Mapping[str, Any] = field(default_factory=dict)
    stoppable: bool = True
    """Whether `function` is handed a `Stop` behind its `args`."""

    owner: Hashable = None
    """Whose call it is: those of different owners take turns."""

    on_progress: Callable[[float], None] | None = None
    """Called back, in a thread of the pool, with what the function reports; must not wait."""


class WorkerPool(Protocol):
    """Processes that do the work of all sessions; its methods may be called from any thread."""

    @property
    def closed(self) -> bool:
        """Whether it takes no more calls."""

    @property
    def processes(self) -> int:
        """How many processes work for it at this moment."""

    def submit(self, call: Call) -> Future[Any]:
        """Have a worker do the call; never waits.

        The future may be cancelled at any time: its work is then told to stop, and what becomes
        of it is dropped. Work that does not heed that is ended, as soon as no other call is hurt.

        It ends with what the function returns or raises, or with a PoolError. What is no
        `Exception` (SystemExit in a worker, say) becomes a PoolError.
        """

    def close(self) -> None:
        """Fail whatever waits with PoolClosed, at once, and begin to end the workers."""

    def join(self, timeout: float) -> bool:
        """Wait for so many seconds until the workers of a closed pool are gone; tell if they are.

        Those that are left then are killed.
        """
