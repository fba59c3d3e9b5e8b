"""A pool of processes for heavy work, shared by all sessions of an app (docs/pool.md).

Needs `panel-session-monitor[pool]`. The pool and the manager are created at the first use, counted
per session, torn down when the last session has gone, and made anew for one that comes after that.
"""

from .adapters.pool.example import worker
from .application.pool import Work
from .application.pool_ports import NotSendable, PoolClosed, PoolError, Stop, WorkerDied
from .entrypoints.shared_pool import (
    count_processes,
    decrement_sessions,
    get_manager,
    get_pool,
    shutdown_pool,
)

__all__ = [
    "NotSendable",
    "PoolClosed",
    "PoolError",
    "Stop",
    "Work",
    "WorkerDied",
    "count_processes",
    "decrement_sessions",
    "get_manager",
    "get_pool",
    "shutdown_pool",
    "worker",
]
