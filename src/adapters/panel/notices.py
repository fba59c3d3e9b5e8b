"""What an operator tells the page: messages, a drain, the end, shown by a script of our own.

A model without a view carries them to the page and back: `tags` holds what is to be shown, as
JSON, and `data` which messages the page has. It is added when there is first something to tell,
so that a document without notices stays as the app has made it.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any, cast

from bokeh.document import Document
from bokeh.document.events import DocumentPatchedEvent, ModelChangedEvent, RootAddedEvent
from bokeh.models import ColumnDataSource, CustomJS
from bokeh.server.session import ServerSession

from ...application.draining import DrainNotice
from ...domain.ids import MessageId
from ...domain.report import Notice

log = logging.getLogger("panel_session_monitor")

NAME = "psm-notices"

Shown = Callable[[], None]


class Notices:
    """What the pages of one session are told; all of it happens on the session's event loop.

    Before a page is ready nothing is sent: what there is to tell by then, it is told at once.
    """

    def __init__(self, session: Callable[[], ServerSession | None]) -> None:
        self._session = session
        self._messages: dict[MessageId, tuple[Notice, Shown]] = {}
        self._drain: DrainNotice | None = None
        self._turn = 0
        self._ready = False
        self._due = False
        self._writing: asyncio.Task[None] | None = None
        self._failed = False

    def show(self, message: Notice, shown: Shown) -> None:
        """Show a message, once, and call `shown` when a page has it."""
        self._messages.setdefault(message.message_id, (message, shown))
        self._write_soon()

    def drained(self, notice: DrainNotice | None) -> None:
        """Show that the app is being drained, or no longer."""
        self._drain = notice
        self._write_soon()

    def page_ready(self) -> None:
        """A page has been loaded, and shows nothing of ours."""
        self._ready = True
        if self._messages or self._drain:
            self._write_soon()

    def page_back(self) -> None:
        """A page has its connection again; it may show what is no longer so."""
        self._ready = True
        self._write_soon()

    def _write_soon(self) -> None:
        self._due = True
        if self._ready and self._writing is None:
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        """Have the document tell it, as soon as whoever holds its lock lets go."""
        try:
            while self._due and (session := self._session()):
                self._due = False
                await cast("Any", session).with_document_locked(self._tell, session)
        except Exception:  # nothing of ours may reach Bokeh; the next notice tries again
            log.log(
                logging.DEBUG if self._failed else logging.WARNING,
                "A notice could not be shown in a page",
                exc_info=True,
            )
            self._failed = True
        finally:
            self._writing = None

    def _tell(self, session: ServerSession) -> None:
        if session.destroyed:
            return
        root = _root(session.document)
        if root is None:
            root = _new_root()
            root.on_change("data", self._note_shown)
            session.document.add_root(root)
        self._turn += 1
        messages = [message for message, _ in self._messages.values()]
        root.tags = [_state(turn=self._turn, messages=messages, drain=self._drain)]

    def _note_shown(self, _attribute: str, _old: object, data: dict[str, Any]) -> None:
        for message_id, (_, shown) in list(self._messages.items()):
            if str(message_id) in data.get("shown", ()):
                del self._messages[message_id]
                shown()


def farewell(document: Document, reason: str, by: str | None) -> list[DocumentPatchedEvent]:
    """Return what makes a page show that its session was ended, why and by whom.

    It goes to the page past the document, whose lock may be held for ever.
    """
    known = _root(document)
    root = known or _new_root()
    added = [] if known else [RootAddedEvent(document, root)]
    state = json.dumps({"end": {"reason": reason, "by": by}})
    return [*added, ModelChangedEvent(document, root, "tags", [state])]


def _root(document: Document) -> ColumnDataSource | None:
    carriers = (root for root in document.roots if isinstance(root, ColumnDataSource))
    return next((carrier for carrier in carriers if carrier.name == NAME), None)


def _new_root() -> ColumnDataSource:
    root = ColumnDataSource(name=NAME, data={})
    root.js_on_change(
        "tags", CustomJS(code=_text("notices.js"), args={"style": _text("notices.css")})
    )
    return root


def _state(*, turn: int, messages: list[Notice], drain: DrainNotice | None) -> str:
    return json.dumps(
        {
            "turn": turn,
            "messages": [
                {"id": str(each.message_id), "text": each.text, "by": each.sent_by}
                for each in messages
            ],
            "drain": drain
            and {
                "id": str(drain.drain_id),
                "reason": drain.reason,
                "seconds_left": drain.seconds_left,
            },
        }
    )


@cache
def _text(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")
