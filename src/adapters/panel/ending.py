"""The kill that holds: a session is closed, destroyed and not brought back by its old page."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from bokeh.server.connection import ServerConnection
from bokeh.server.session import ServerSession

from . import internals
from .notices import farewell

log = logging.getLogger("panel_session_monitor")

GRACE = 0.5
"""Seconds between the close and the destruction: the page takes in why it was closed."""

CLOSING = 0.2
"""Longest wait for a close to go out, in seconds; a peer that reads nothing holds it up."""

FORBIDDING = 0.1
"""Longest wait for the message before it, in seconds."""

TELLING = 0.1
"""Longest wait for the page to be sent why it is ended, in seconds."""

LOCK = 0.1
"""Longest wait for a document's lock, in seconds."""

REFUSED_KEPT = 10_000
"""Killed ids that are remembered; the token of an older page has expired long since."""

REASON_BYTES = 123
"""Longest reason in a close frame (RFC 6455, section 5.5: 125 bytes less the code)."""


def shortened(reason: str) -> str:
    """Cut a reason, between two characters, to what a close frame holds."""
    encoded = reason.encode()
    if len(encoded) <= REASON_BYTES:
        return reason
    return encoded[: REASON_BYTES - len("…".encode())].decode(errors="ignore") + "…"


class Kills:
    """The kills of this process: under way, and done but still to be defended.

    A kill is not a ban: a page that is loaded anew under a killed id makes it an id like any
    other.
    """

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def refusal(self, session_id: str) -> str | None:
        """Return why an old page must not reconnect; None if it may."""
        return self._reasons.get(session_id)

    def under_way(self, session_id: str) -> bool:
        """Tell whether a session is being ended."""
        return session_id in self._under_way

    async def page_requested(self, session_id: str) -> None:
        """Let a page have a killed id once the session that bore it is destroyed."""
        if ending := self._under_way.get(session_id):
            await asyncio.wait([ending])
        self._reasons.pop(session_id, None)

    def begin(self, session: ServerSession, reason: str, by: str | None) -> None:
        """End a session for good; on its own event loop. Begun again, it changes nothing."""
        if session.destroyed or self.under_way(session.id):
            return
        self._refuse(session.id, shortened(reason))
        ending = asyncio.create_task(_end(session, reason, by))
        self._under_way[session.id] = ending
        ending.add_done_callback(partial(self._note_done, session.id))

    def _refuse(self, session_id: str, reason: str) -> None:
        self._reasons[session_id] = reason
        while len(self._reasons) > REFUSED_KEPT:
            del self._reasons[next(iter(self._reasons))]

    def _note_done(self, session_id: str, ending: asyncio.Task[None]) -> None:
        del self._under_way[session_id]
        if not ending.cancelled() and (error := ending.exception()):
            log.error("Ending the session %s failed", session_id, exc_info=error)


async def _end(session: ServerSession, reason: str, by: str | None) -> None:
    internals.unpin(session)
    pages = internals.connections(session)
    await asyncio.gather(*(_attempt(_tell(each, reason, by), TELLING) for each in pages))
    close = partial(_close, reason=shortened(reason))
    await asyncio.gather(*(_attempt(close(each), CLOSING) for each in pages))
    await asyncio.sleep(GRACE)
    for page in {*pages, *internals.connections(session)}:  # a ping of Bokeh's may have parted some
        with suppress(Exception):
            internals.drop(page)
    await internals.destroy(session, LOCK)


async def _tell(page: ServerConnection, reason: str, by: str | None) -> None:
    await internals.send(page, farewell(page.session.document, reason, by))


async def _close(page: ServerConnection, reason: str) -> None:
    await _attempt(internals.forbid_reconnect(page), FORBIDDING)
    await internals.close(page, reason)


async def _attempt(step: Coroutine[Any, Any, None], patience: float) -> None:
    """Take a step that may fail or hang: the next ones do not depend on it."""
    try:
        await asyncio.wait_for(step, patience)
    except Exception:
        log.debug("A step of ending a session failed", exc_info=True)
