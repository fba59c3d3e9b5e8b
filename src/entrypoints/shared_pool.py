"""The pool that all sessions of this process share, and what an app calls it by."""

import atexit
import sys
from multiprocessing.managers import SyncManager

from ..adapters.dask import DaskPool
from ..adapters.dask.events import Events
from ..adapters.pool import ProcessPool
from ..adapters.process import in_child
from ..application.pool import SharedPool
from .settings import PoolSettings

GONE_WITHIN = 3.0
"""How long an end of the process is held up for the workers, in seconds."""


def get_pool() -> ProcessPool | DaskPool:
    """Return the pool of this process, and count the current session in; never waits.

    It has PSM_POOL_PROCESSES processes, which start in the background, or, with PSM_POOL_URL, the
    workers of that Dask cluster (raises BadSetting). Called again, a session counts once.
    """
    return shared.enter(_session())


def get_manager() -> SyncManager | Events:
    """Return the pool's manager, for events that travel; counts the session in as `get_pool` does.

    The first call waits until the manager's process has started, about 0.2 s. A Dask cluster's
    stands in for one: it has no process, and makes events alone.
    """
    return get_pool().manager()


def decrement_sessions() -> None:
    """Count a session out, from any thread, once; the last one takes the pool down. Never waits."""
    shared.leave()


def shutdown_pool(timeout: float = GONE_WITHIN) -> None:
    """Take the pool down whoever uses it, and wait until its processes are gone.

    Whoever waits for a call gets PoolClosed at once. What is left after `timeout` seconds is
    killed.
    """
    pool = shared.shut_down()
    if pool is not None:
        pool.join(timeout)


def count_processes() -> int:
    """Return how many worker processes there are now: none where nobody uses the pool."""
    return shared.processes


def _make() -> ProcessPool | DaskPool:
    settings = PoolSettings.load()
    return DaskPool(settings.pool_url) if settings.pool_url else ProcessPool(settings.processes)


def _session() -> object | None:
    """Return the current Panel session, as far as Panel knows it in this thread."""
    if "panel" not in sys.modules:
        return None
    from ..adapters.panel import current_session  # noqa: PLC0415  # imports Panel

    return current_session()


shared = SharedPool(_make)
atexit.register(shutdown_pool)
in_child(shared.abandon)
