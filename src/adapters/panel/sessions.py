"""Panel's session as a host of tracked work, from the first line of its code to its end."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from itertools import count
from typing import Any, cast
from weakref import WeakKeyDictionary, ref

from bokeh.document import Document
from bokeh.events import ClientReconnected, DocumentReady, Event
from bokeh.server.contexts import ApplicationContext
from bokeh.server.session import ServerSession
from panel.config import config
from panel.io.state import set_curdoc, state

from ...application.draining import DrainNotice
from ...domain.report import Notice
from ..coroutines import call, start
from . import bokeh_fastapi, internals
from .ending import Kills
from .notices import Notices

log = logging.getLogger("panel_session_monitor")

_numbers = count(1)
_kills = Kills()
_sessions: WeakKeyDictionary[Document, "PanelSession"] = WeakKeyDictionary()
_tracking = threading.RLock()
_installed: set[Callable[[internals.Hooks], None]] = set()


class PanelSession:
    """One session of a Panel app; `key` tells it from every other, as Bokeh re-uses its ids.

    Its methods may be called from any thread, also after its end. It keeps no document alive.
    """

    def __init__(self, document: Document) -> None:
        context: Any = document.session_context
        self.key = (str(context.id), next(_numbers))
        self._context = ref(context)
        self._loop = _loop_of(context)
        self._lock = threading.Lock()
        self._over = False
        self._callbacks: list[Callable[[], None]] = []
        self._released = False
        self._empty: Callable[[], None] = lambda: None
        self._shown = bool(context.session and context.session.connection_count)
        self._notices = Notices(self._session)
        if self._shown:
            self._notices.page_ready()
        document.on_event(DocumentReady, self._note_shown)
        document.on_event(ClientReconnected, self._note_back)
        document.on_session_destroyed(self._note_destroyed)

    def on_over(self, callback: Callable[[], None]) -> None:
        """Call back, once, when the session is over: on the event loop, so it must not wait.

        It is over when Bokeh has destroyed it. Where the page does not reconnect it is over as
        soon as the page is gone, unless it is being ended, which only its destruction completes.
        """
        with self._lock:
            if not self._over:
                self._callbacks.append(callback)
                return
        _call(callback)

    def show(self, message: Notice, shown: Callable[[], None]) -> None:
        """Show a message in the session's page, and call `shown` once the page has it."""
        call(partial(self._notices.show, message, shown), self._loop)

    def drained(self, notice: DrainNotice | None) -> None:
        """Show in the session's page that its app is being drained, or no longer."""
        call(partial(self._notices.drained, notice), self._loop)

    def end(self, reason: str, by: str | None = None) -> None:
        """Tell the session's pages why and by whom, close them and destroy it; returns at once.

        While a callback of the app blocks the event loop, it happens when the loop is free again.
        """
        call(partial(self._begin_to_end, reason, by), self._loop)

    def run(self, work: Coroutine[Any, Any, object]) -> Callable[[float], None]:
        """Start a coroutine on the session's event loop; the result waits for it.

        Where that loop cannot do it, because it has stopped or because this thread is its own,
        the coroutine runs on a loop made for it while it is waited for.
        """
        return start(work, self._loop)

    def ping(self, pong: Callable[[], None]) -> bool:
        """Call back from the session's event loop when it comes round; False if it has stopped."""
        return call(pong, self._loop)

    def release(self) -> None:
        """The app's code is needed no more: what is left of it may go."""
        with self._lock:
            self._released, empty = True, self._empty
        call(empty, self._loop)

    def destroyed(self, empty: Callable[[], None]) -> None:
        """The session is no more, but for its code, which `empty` takes away when it may go."""
        with self._lock:
            if not self._released:
                self._empty = empty
                return
        empty()

    def disconnected(self, session: ServerSession) -> None:
        """The last WebSocket is gone, and with it perhaps the page."""
        if self._shown and not (_kills.under_way(session.id) or _reconnects(session.document)):
            self._finish()

    def _note_shown(self, _event: Event) -> None:
        # Before that, the connection may be one of a program that prepares the session for a page.
        self._shown = True
        self._notices.page_ready()

    def _note_back(self, _event: Event) -> None:
        self._shown = True
        self._notices.page_back()

    def _note_destroyed(self, _context: object) -> None:
        self._finish()

    def _finish(self) -> None:
        with self._lock:
            self._over = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            _call(callback)

    def _begin_to_end(self, reason: str, by: str | None) -> None:
        if session := self._session():
            _kills.begin(session, reason, by)

    def _session(self) -> ServerSession | None:
        context: Any = self._context()
        session: ServerSession | None = context and context.session
        return session


def current_session() -> PanelSession | None:
    """Return the session whose code is running; None in a script, a notebook, a test.

    It is whom Panel takes for current: in a thread of the app's own that is, while some page is
    loading, that page's session, and else none.
    """
    document = state.curdoc
    if document is None:
        return None
    with _tracking:
        known = _sessions.get(document)
        if known is None and document.session_context is not None:
            _install()
            known = _sessions[document] = PanelSession(document)
        return known


def current_user() -> str | None:
    """Return the name under which this session's user has logged in, as Panel tells it."""
    user = state.user
    return None if user is None else str(user)


def _install() -> None:
    """Wrap what the servers of this process need wrapped, each once."""
    hooks = internals.Hooks(_kills.refusal, _kills.page_requested, _disconnected, _destroyed)
    due = {internals.install, *([bokeh_fastapi.install] if bokeh_fastapi.loaded() else [])}
    for install in due - _installed:
        install(hooks)
        _installed.add(install)


def _disconnected(session: ServerSession) -> None:
    if tracked := _sessions.get(session.document):
        tracked.disconnected(session)


def _destroyed(document: Document, empty: Callable[[], None]) -> None:
    tracked = _sessions.get(document)
    if tracked:
        tracked.destroyed(empty)
    else:
        empty()


def _reconnects(document: Document) -> bool:
    """Tell whether a page of this document can come back to its session."""
    with set_curdoc(document):
        return bool(document.config.reconnect_session or config.reconnect)


def _call(callback: Callable[[], None]) -> None:
    try:
        callback()
    except Exception:  # nothing of ours may reach Bokeh
        log.exception("Noting the end of a session failed")


def _loop_of(context: Any) -> asyncio.AbstractEventLoop | None:
    """Return the event loop that serves a session; None if it only warms up its server."""
    if context.server_context is None:
        return None
    application: ApplicationContext | None = context.server_context.application_context
    if application is None or application.io_loop is None:
        return None
    loop: asyncio.AbstractEventLoop = cast("Any", application.io_loop).asyncio_loop
    return loop
