"""Apps inside FastAPI: the two places where bokeh-fastapi's WebSocket handler is wrapped.

Read from bokeh-fastapi 0.1.8. Its `_receive_loop` waits for an exception that Starlette does not
raise there, so that a closed tab counts as connected for ever and its session is never destroyed:
whatever way the loop ends, the connection is lost. `_async_open` is wrapped for the same reason
as Bokeh's own.
"""
# ruff: noqa: SLF001 -- private members are what this module is for

import sys
from functools import wraps
from typing import Any

from bokeh.util.token import get_session_id

from .internals import GOING_AWAY, Hooks


def loaded() -> bool:
    """Whether this process serves apps by bokeh-fastapi (which is never imported from here)."""
    return hasattr(sys.modules.get("bokeh_fastapi.handler"), "WSHandler")


def install(hooks: Hooks) -> None:
    """Wrap the handler, which must be loaded; call it once per process."""
    handler_class: Any = sys.modules["bokeh_fastapi.handler"].WSHandler
    opens, receives = handler_class._async_open, handler_class._receive_loop

    @wraps(opens)
    async def open_unless_refused(handler: Any, socket: Any, token: str) -> None:
        reason = hooks.refusal(get_session_id(token))
        if reason is None:
            await opens(handler, socket, token)
        else:
            await socket.close(GOING_AWAY, reason)

    @wraps(receives)
    async def receive_until_lost(handler: Any) -> None:
        try:
            await receives(handler)
        finally:
            if handler.connection is not None:
                handler.application.client_lost(handler.connection)

    handler_class._async_open = open_unless_refused
    handler_class._receive_loop = receive_until_lost
