"""`SessionClient`: the one call that an app makes, and what it puts together."""

import atexit
import logging
import random
import sys
import threading
from collections.abc import Hashable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from ..adapters.clock import SystemClock, TimeOrderedIds
from ..adapters.gateway.deferred import DeferredMonitor
from ..adapters.interruption import Interruptions, raiser
from ..adapters.process import Script, catch_sigterm, in_child, this_process
from ..adapters.vitals import ProcessVitals
from ..application.app_ports import BrowserSession
from ..application.link import Link
from ..application.pool import SharedPool
from ..application.tracker import Tracker
from ..application.tracking import Tracking
from ..domain.ids import cleaned

log = logging.getLogger("panel_session_monitor")

THIS_PROCESS: Hashable = "this process"
"""The key of the tracker that is used outside a Panel session."""


class SessionClient:
    """Tracks the sessions of this process: one link to the monitor, however many there are."""

    _lock: ClassVar[threading.RLock] = threading.RLock()
    _links: ClassVar[dict[tuple[str | None, str | None], Link]] = {}
    _monitors: ClassVar[list[tuple[DeferredMonitor, Link]]] = []
    _trackers: ClassVar[dict[Hashable, Tracker]] = {}
    _interruptions: ClassVar[Interruptions] = Interruptions(raiser())
    _prepared: ClassVar[bool] = False
    _catching: ClassVar[bool] = False

    @classmethod
    def get_tracker(
        cls,
        app_name: str,
        *,
        user_id: str | None = None,
        server_url: str | None = None,
        token: str | None = None,
        heartbeat_interval: float | None = None,
    ) -> Tracker:
        """Return the tracker of the current Panel session; called again, the same one.

        Outside a Panel session there is one tracker per process. `user_id` defaults to Panel's
        user, `server_url` to PSM_SERVER_URL or http://localhost:8000, `token` to PSM_TOKEN,
        `heartbeat_interval` (seconds) to what the server asks for, 30 by default.

        Never waits for the network, and never raises because of the monitor.
        """
        with cls._interruptions.shelter():
            session, user = _panel_session() if "panel" in sys.modules else (None, None)
            key = session.key if session else THIS_PROCESS
            ended = partial(cls._ended, key)
            with cls._lock:
                tracker = cls._trackers.get(key)
                if tracker and not tracker.over:
                    return tracker
                cls._prepare()
                link = cls._link(server_url, token)
                wish = _seconds(heartbeat_interval)
                link.heartbeat_interval = _least(link.heartbeat_interval, wish)
                tracked = link.tracking.open(
                    cleaned(app_name, "unnamed"),
                    cleaned(user_id or user or "", "") or None,
                    session or Script(ended),
                )
                tracker = Tracker(link, tracked, cls._interruptions, _shared_pool)
                cls._trackers[key] = tracker
            if session:
                session.on_over(ended)
            return tracker

    @classmethod
    def _link(cls, server_url: str | None, token: str | None) -> Link:
        """Return the link to the server that the app has named, or has left to the settings.

        However it is named, there is one link to a server. The first page does not wait for the
        settings; one that names a server otherwise does: they tell whether it is another.
        """
        name = (server_url, token)
        if name not in cls._links:
            monitor, link = _linked(server_url, token)
            same = (each for other, each in cls._monitors if other.place() == monitor.place())
            cls._links[name] = known = next(same, link)
            if known is link:
                cls._monitors.append((monitor, link))
        return cls._links[name]

    @classmethod
    def _prepare(cls) -> None:
        """Be ready for the end of this process and for its children, each once."""
        if not cls._prepared:
            cls._prepared = True
            atexit.register(cls._shut_down)
            in_child(cls._start_anew)
        if not cls._catching:
            cls._catching = catch_sigterm(cls._shut_down)

    @classmethod
    def _ended(cls, key: Hashable) -> None:
        with cls._lock:
            tracker = cls._trackers.pop(key, None)
        if tracker:
            tracker.close()

    @classmethod
    def _shut_down(cls) -> None:
        for _, link in list(cls._monitors):
            link.shut_down()

    @classmethod
    def _start_anew(cls) -> None:
        """In a forked child: the sessions are its parent's, and so is the thread of the link."""
        cls._lock = threading.RLock()
        for _, link in cls._monitors:
            link.abandon()
        cls._links, cls._monitors, cls._trackers, cls._catching = {}, [], {}, False
        cls._interruptions = Interruptions(raiser())


def _linked(server_url: str | None, token: str | None) -> tuple[DeferredMonitor, Link]:
    """Return a server, named or left to the settings, and a link to it that has not begun."""
    clock, ids, here = SystemClock(), TimeOrderedIds(), _working_directory()

    def settle() -> tuple[str, str | None]:
        from .settings import load_for_client  # noqa: PLC0415  # imports msgspec and dotenv

        settings = load_for_client(here, server_url=server_url, token=token)
        link.interval = settings.heartbeat_interval
        return settings.server_url.rstrip("/"), settings.token

    monitor = DeferredMonitor(settle)
    link = Link(
        tracking=Tracking(this_process(ids), clock, ids),
        monitor=monitor,
        clock=clock,
        vitals=ProcessVitals(clock),
        random=random.random,
    )
    return monitor, link


def _panel_session() -> tuple[BrowserSession | None, str | None]:
    """Return the Panel session whose code is running, and its user."""
    from ..adapters.panel import current_session, current_user  # noqa: PLC0415  # imports Panel

    return current_session(), current_user()


def _shared_pool() -> SharedPool[Any]:
    from .shared_pool import shared  # noqa: PLC0415  # imports aiomultiprocess, an extra

    return shared


def _working_directory() -> Path | None:
    """Return where the settings' file may lie: the app may go elsewhere before they are read."""
    try:
        return Path.cwd()
    except OSError:
        return None


def _seconds(interval: object) -> float | None:
    try:
        return None if interval is None else float(interval)  # type: ignore[arg-type]  # or it raises
    except (TypeError, ValueError):
        log.warning("heartbeat_interval=%r is no number of seconds", interval)
        return None


def _least(*wishes: float | None) -> float | None:
    return min((each for each in wishes if each), default=None)
