"""What Bokeh and Panel keep private, and the five places where Bokeh's server is wrapped.

Read from panel 1.9 and bokeh 3.9; nothing else in this project touches it:

- `ServerSession._subscribed_connections` and `ServerConnection._socket`: there is no public way
  from a session to its WebSockets.
- `ApplicationContext._sessions` and `_session_contexts`: Bokeh's own `_discard_session` leaves a
  session alive that still has a connection or a callback waiting for its lock.
- `panel.state._sessions`: with `--reuse-sessions` Panel renders every later page from the first
  session, which would be a dead one.

Wrapped are `WSHandler._async_open`, because a page that reconnects has its killed session made
again under the same id; `ApplicationContext.create_session_if_needed`, because a page that is
loaded anew may well bring a killed id in its URL; `ServerSession.unsubscribe`, because Bokeh tells
nobody that the last WebSocket of a session is gone; `ServerSession.destroy`, because it empties
the modules of the app's code, which the callbacks of the session's end still need; and
`ProtocolHandler.handle`, because an interrupted callback would take down the WebSocket that is to
tell the page why, at least inside FastAPI.
"""
# ruff: noqa: SLF001 -- private members are what this module is for

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial, wraps
from types import ModuleType
from typing import Any, cast

from bokeh.document import Document
from bokeh.document.events import DocumentPatchedEvent, ModelChangedEvent
from bokeh.server.connection import ServerConnection
from bokeh.server.contexts import ApplicationContext
from bokeh.server.protocol_handler import ProtocolHandler
from bokeh.server.session import ServerSession
from bokeh.server.views.ws import WSHandler
from bokeh.util.token import get_session_id
from panel.io.state import state

from ...application.app_ports import SessionKilled

log = logging.getLogger("panel_session_monitor")

GOING_AWAY = 1001
"""The WebSocket close code of an endpoint that will not come back (RFC 6455, section 7.4.1)."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the wrapped places ask and tell."""

    refusal: Callable[[str], str | None]
    """Why a WebSocket for this session id is turned away; None lets it in."""

    page_requested: Callable[[str], Awaitable[None]]
    """A session under this id is about to be made, or joined, for a page that is being loaded."""

    disconnected: Callable[[ServerSession], None]
    """A session has lost its last WebSocket."""

    destroyed: Callable[[Document, Callable[[], None]], None]
    """A document is no more; the function given empties its modules, now or later."""


def install(hooks: Hooks) -> None:
    """Wrap Bokeh's server; call it once per process."""
    _wrap_opening(hooks)
    _wrap_creation(hooks)
    _wrap_unsubscribing(hooks)
    _wrap_destroying(hooks)
    _wrap_handling()


def _wrap_opening(hooks: Hooks) -> None:
    handlers: Any = WSHandler
    opens = handlers._async_open

    @wraps(opens)
    async def open_unless_refused(handler: WSHandler, token: str) -> None:
        reason = hooks.refusal(get_session_id(token))
        if reason is None:
            await opens(handler, token)
        else:  # closed rather than raised: Tornado would log a traceback for each attempt
            handler.close(GOING_AWAY, reason)

    handlers._async_open = open_unless_refused


def _wrap_creation(hooks: Hooks) -> None:
    applications: Any = ApplicationContext
    creates = applications.create_session_if_needed

    @wraps(creates)
    async def create_for_page(
        application: ApplicationContext, session_id: str, *arguments: Any, **options: Any
    ) -> Any:
        await hooks.page_requested(session_id)
        return await creates(application, session_id, *arguments, **options)

    applications.create_session_if_needed = create_for_page


def _wrap_unsubscribing(hooks: Hooks) -> None:
    sessions: Any = ServerSession
    unsubscribes = sessions.unsubscribe

    @wraps(unsubscribes)
    def unsubscribe_and_tell(session: ServerSession, connection: ServerConnection) -> None:
        unsubscribes(session, connection)
        if session.connection_count or session.destroyed:
            return
        try:
            hooks.disconnected(session)
        except Exception:  # nothing of ours may reach Bokeh
            log.exception("Noting a lost connection failed")

    sessions.unsubscribe = unsubscribe_and_tell


def _wrap_destroying(hooks: Hooks) -> None:
    sessions: Any = ServerSession
    destroys = sessions.destroy

    @wraps(destroys)
    def destroy_all_but_the_code(session: ServerSession) -> None:
        document = session.document
        modules, document.modules._modules = document.modules._modules, []
        destroys(session)
        hooks.destroyed(document, partial(_empty, modules))

    sessions.destroy = destroy_all_but_the_code


def _wrap_handling() -> None:
    protocol: Any = ProtocolHandler
    handles = protocol.handle

    @wraps(handles)
    async def handle_to_its_end(handler: ProtocolHandler, *message: Any) -> Any:
        try:
            return await handles(handler, *message)
        except SessionKilled:
            log.info("A callback was interrupted: its session is killed", exc_info=True)
            return None

    protocol.handle = handle_to_its_end


def _empty(modules: list[ModuleType]) -> None:
    """Do to the modules of an app's code what Panel does when it destroys a document."""
    for module in modules:
        sys.modules.pop(module.__name__, None)
        module.__dict__.clear()


def connections(session: ServerSession) -> list[ServerConnection]:
    """Return the WebSockets that show this session."""
    return list(session._subscribed_connections)


async def close(connection: ServerConnection, reason: str) -> None:
    """Send the close frame; inside FastAPI this waits while the peer reads nothing."""
    handler: Any = connection._socket
    if not isinstance(handler, WSHandler):
        await handler._socket.close(GOING_AWAY, reason)
    elif handler.ws_connection is not None:  # handler.close would forget what `drop` aborts
        handler.ws_connection.close(GOING_AWAY, reason)


def drop(connection: ServerConnection) -> None:
    """Part a session from a WebSocket whose peer does not answer the close."""
    handler: Any = connection._socket
    handler.application.client_lost(connection)
    if isinstance(handler, WSHandler):  # uvicorn hangs up by itself
        handler.connection = None  # or its on_close speaks to a session that is no more
        if handler.ws_connection is not None:
            cast("Any", handler.ws_connection)._abort()


async def forbid_reconnect(connection: ServerConnection) -> None:
    """Tell the page not to come back by itself, whichever process that would reach.

    A document's config takes no part in Bokeh's synchronisation, though pages accept its changes.
    """
    document = connection.session.document
    if document.config.reconnect_session:
        change = ModelChangedEvent(document, document.config, "reconnect_session", False)
        await connection.send_patch_document(change)


async def send(connection: ServerConnection, events: list[DocumentPatchedEvent]) -> None:
    """Send changes to one page, past the document and its lock."""
    await connection._socket.send_message(connection.protocol.create("PATCH-DOC", events))


def unpin(session: ServerSession) -> None:
    """Take from Panel a session that `--reuse-sessions` would render the next page from."""
    for key, pinned in list(state._sessions.items()):
        if pinned is session:
            del state._sessions[key]


async def destroy(session: Any, patience: float) -> None:
    """Destroy a session and run its hooks.

    Waits no longer than `patience` seconds for a callback that holds the document's lock: it may
    hold it for ever.
    """
    if session.destroyed:
        return
    context: Any = session.document.session_context
    application = context.server_context.application_context
    removed = False

    def remove() -> None:
        nonlocal removed
        if not session.destroyed:
            session.destroy()
            application._sessions.pop(session.id, None)
            application._session_contexts.pop(session.id, None)
            removed = True

    try:
        await asyncio.wait_for(session.with_document_locked(remove), patience)
    except TimeoutError:
        remove()
    if removed:
        await application.application.on_session_destroyed(context)
