"""What operators tell the pages of this process: messages, each once, and the drains that stand."""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from ..domain.ids import MessageId
from ..domain.report import Draining, Notice, Shown
from .app_ports import SessionHost
from .clock import Clock
from .draining import DrainNotice

log = logging.getLogger("panel_session_monitor")

MESSAGES_KNOWN = 10_000
"""Messages remembered, so that none is shown twice; pages remember those that they have, too."""


@dataclass(slots=True, kw_only=True)
class Notices:
    """The messages of this process's sessions and the drains of all apps, from any thread."""

    clock: Clock
    heard: int = 0
    """How often it has heard of the drains."""

    _known: dict[MessageId, bool] = field(default_factory=dict)  # whether the page has it
    _unconfirmed: dict[Shown, None] = field(default_factory=dict)
    _doubted: dict[Shown, None] = field(default_factory=dict)
    _drains: dict[str, DrainNotice] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # Messages

    def show(self, message: Notice, host: SessionHost, wake: Callable[[], None]) -> None:
        """Show a message in its session's page; `wake` is called when there is that to report.

        One that the page has already goes into the report of the next heartbeat again.
        """
        shown = Shown(session_id=message.session_id, message_id=message.message_id)
        with self._lock:
            known = self._known.get(message.message_id)
            if known is None:
                self._remember(message.message_id)
            elif known:
                self._doubted[shown] = None
        if known is None:
            attempt(partial(host.show, message, partial(self._note_shown, shown, wake)))

    def unconfirmed(self, *, beat: bool) -> list[Shown]:
        """Return what the monitor is to be told; at a heartbeat also what it seems to have lost."""
        with self._lock:
            if beat:
                self._unconfirmed |= self._doubted
                self._doubted = {}
            return list(self._unconfirmed)

    def confirm(self, told: Iterable[Shown]) -> None:
        """The monitor has been told."""
        with self._lock:
            for shown in told:
                self._unconfirmed.pop(shown, None)

    def due(self) -> bool:
        """Tell whether there is news that the monitor has not been told."""
        return bool(self._unconfirmed)

    def _remember(self, message_id: MessageId) -> None:
        self._known[message_id] = False
        if len(self._known) > MESSAGES_KNOWN:
            del self._known[next(iter(self._known))]

    def _note_shown(self, shown: Shown, wake: Callable[[], None]) -> None:
        with self._lock:
            self._known[shown.message_id] = True
            self._unconfirmed[shown] = None
        wake()

    # Drains

    def standing(self, app_name: str) -> DrainNotice | None:
        """Return the drain of an app."""
        return self._drains.get(app_name)

    def drained(self, drains: Iterable[Draining]) -> dict[str, DrainNotice | None]:
        """Take in all the drains that stand; return those that are new, changed or, None, over."""
        now = self.clock.monotonic()
        with self._lock:
            self.heard += 1
            before = self._drains
            self._drains = {each.app_name: self._notice(each, now) for each in drains}
            apps = before.keys() | self._drains.keys()
            return {
                app: self._drains.get(app)
                for app in apps
                if self._drains.get(app) is not before.get(app)
            }

    def _notice(self, drain: Draining, now: float) -> DrainNotice:
        """Return the notice of a drain: the one that is known, if it tells the same."""
        left = drain.seconds_left
        fresh = DrainNotice(
            drain_id=drain.drain_id,
            reason=drain.reason,
            requested_by=drain.requested_by,
            ends_at=None if left is None else now + left,
            clock=self.clock,
        )
        known = self._drains.get(drain.app_name)
        return known if known and known.tells_the_same(fresh) else fresh


def attempt(call: Callable[[], None]) -> None:
    """Tell a page something; what fails there concerns no other page, and no order."""
    try:
        call()
    except Exception:  # foreign code
        log.exception("A page could not be told something")
