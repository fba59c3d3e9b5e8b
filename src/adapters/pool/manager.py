"""The `multiprocessing` manager that goes with a pool."""

import multiprocessing
import os
import threading
from multiprocessing.managers import SyncManager
from multiprocessing.process import BaseProcess
from typing import Self

from ...application.pool_ports import PoolError
from .members import SPAWN, without_interrupts


class Manager(SyncManager):
    """A manager that can be seen to be there, and ended if it stands still."""

    _process: BaseProcess

    @classmethod
    def started(cls) -> Self:
        """Start a manager, and wait until it is there (raises PoolError)."""
        manager = cls(ctx=SPAWN)
        try:
            with without_interrupts():
                manager.start(_end_with_parent)
        except (EOFError, OSError) as error:
            raise PoolError(f"the manager cannot be started: {error!r}") from error
        return manager

    def alive(self) -> bool:
        """Tell whether its process is there."""
        return self._process.is_alive()

    def kill(self) -> None:
        """Kill its process."""
        self._process.kill()


def _end_with_parent() -> None:
    """In the manager's process: it would outlive a parent that crashes."""
    parent = multiprocessing.parent_process()
    assert parent

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()
