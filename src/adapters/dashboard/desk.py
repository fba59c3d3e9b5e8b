"""The desk: what every page of a viewer has at hand."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from ...application.operator_ports import Operator, OperatorError
from ...domain.ids import SessionId
from .components.strip import Strip
from .followed import Followed
from .mirror import Mirror
from .place import Place

Errand = Coroutine[Any, Any, None]


@dataclass(kw_only=True)
class Desk:
    """The mirror to read, the operator to order from, and the way to other pages.

    mirror        what is live
    operator      whom to ask for the rest, and to order from
    by            in whose name
    refresh       has the open page shown again
    go            leads to another place
    """

    mirror: Mirror
    operator: Operator
    by: str | None
    refresh: Callable[[], None]
    go: Callable[[Place], None]
    notice: Strip = field(default_factory=Strip)
    place: Place = field(default_factory=Place)
    _errands: set[asyncio.Task[None]] = field(default_factory=set)
    followed: Followed = field(init=False)

    def __post_init__(self) -> None:
        self.followed = Followed(mirror=self.mirror)

    @property
    def ahead(self) -> float:
        """By how much the server's clock is ahead of this process's, in milliseconds."""
        mirror = self.mirror
        return (mirror.now() - mirror.clock.now()).total_seconds() * 1000

    def open(self, session_id: SessionId) -> None:
        """Show one session's page."""
        self.go(replace(self.place, page="session", session_id=session_id))

    def open_named(self, session_id: str) -> None:
        """Show one session's page, by its id as the browser knows it."""
        self.open(SessionId(UUID(session_id)))

    def send(self, errand: Errand) -> None:
        """Have something done that takes its time; what goes wrong is told."""
        task = asyncio.get_running_loop().create_task(self._do(errand))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def leave(self) -> None:
        """Let go of all that is still to be done."""
        for errand in tuple(self._errands):
            errand.cancel()

    async def _do(self, errand: Errand) -> None:
        try:
            await errand
        except OperatorError as error:
            self.notice.say(f"Not done: {error}", "error")
        self.refresh()
