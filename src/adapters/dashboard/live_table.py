"""The table of the sessions that a viewer has searched for."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from ...domain.ids import SessionId
from .components.table import Table
from .desk import Desk
from .mirror import Mirror, Touched
from .orders import Orders
from .rows import AGGREGATES, HEARTBEAT, KINDS, SCHEMA, SESSION, columns, milliseconds
from .view import Query, View

SPANS = [name for name, kind in KINDS.items() if kind == "span"]


class LiveTable:
    """Keeps the browser's rows at what a view shows, and knows which are selected.

    While it is `paused` the rows stay as they are; what has changed is told when it goes on.
    """

    def __init__(self, desk: Desk, orders: Orders, changed: Callable[[], None]) -> None:
        self._desk, self._orders, self._changed = desk, orders, changed
        self.found = View(mirror=desk.mirror)
        self.picked: frozenset[SessionId] = frozenset()
        self._paused = False
        self._ready = False
        self.view = Table(
            on_message=self._asked,
            columns=SCHEMA,
            kinds=KINDS,
            aggregates=AGGREGATES,
            spans=SPANS,
            index=SESSION,
            sizing_mode="stretch_both",
            min_height=300,
            margin=0,
        )
        self.view.param.watch(self._arranged, "layout")

    @property
    def paused(self) -> bool:
        """Whether the rows stand still."""
        return self._paused

    def pause(self, on: bool) -> None:
        """Let the rows stand still, or go on."""
        self._paused = on
        self._tell()

    def search(self, query: Query) -> None:
        """Show other sessions."""
        if query != self.found.query:
            self.found.search(query)
            self._tell(even_paused=True)

    def show(self, touched: Touched) -> None:
        """Show what has changed."""
        self.found.notice(touched)
        live = self.picked & self._desk.mirror.sessions.keys()
        if live != self.picked:
            self.pick(live)
        self._tell()

    def pick(self, session_ids: frozenset[SessionId]) -> None:
        """Select rows."""
        self.picked = session_ids
        self.view.picked = [str(each) for each in session_ids]

    def _tell(self, even_paused: bool = False) -> None:
        if not self._ready or (self._paused and not even_paused):
            return
        delta, mirror = self.found.delta(), self._desk.mirror
        heard: dict[str, list[Any]] = {
            SESSION: [str(each) for each in delta.heard],
            HEARTBEAT: [milliseconds(mirror.sessions[key].last_heartbeat) for key in delta.heard],
        }
        self.view.tell(
            rows=columns(_seen(mirror, delta.put)),
            heard=heard,
            gone=[str(each) for each in delta.gone],
            at=milliseconds(mirror.now()),
            frozen=self._paused,
        )

    def _asked(self, message: tuple[str, str]) -> None:
        kind, text = message
        if kind == "ready":  # the browser has made the table, perhaps not for the first time
            self._ready = True
            self.found.restart()
            self._tell(even_paused=True)
            return
        session_id = SessionId(UUID(text))
        match kind:
            case "kill":
                self._orders.kill_one(session_id)
            case "link":
                self._desk.open(session_id)
            case "pick":
                self.picked ^= {session_id}
                self._changed()

    def _arranged(self, event: Any) -> None:
        if event.new != self._desk.place.layout:
            self._desk.go(replace(self._desk.place, layout=event.new))


def _seen(mirror: Mirror, session_ids: list[SessionId]) -> Any:
    return (seen for each in session_ids if (seen := mirror.seen(each)))
