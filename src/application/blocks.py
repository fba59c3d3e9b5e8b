"""What of a session's work a kill interrupts."""

import logging
import threading

from .app_ports import Block, SessionKilled

log = logging.getLogger("panel_session_monitor")


class Blocks:
    """The interruptible blocks of one session that are in progress, until it is killed."""

    __slots__ = ("_entered", "_killed", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entered: list[Block] = []
        self._killed = False

    def enter(self, block: Block | None) -> None:
        """Note that a block begins (raises SessionKilled if the session has been killed)."""
        with self._lock:
            if self._killed:
                raise SessionKilled
            if block:
                self._entered.append(block)

    def leave(self, block: Block) -> None:
        """Note that a block is over."""
        with self._lock:
            if block in self._entered:
                self._entered.remove(block)

    def interrupt(self) -> None:
        """The session is killed: interrupt every block, and let none begin any more."""
        with self._lock:
            self._killed = True
            blocks, self._entered = self._entered, []
        for block in blocks:
            try:
                block.interrupt()
            except Exception:  # one that goes on must not save the others, nor the session
                log.exception("Interrupting a task failed")
