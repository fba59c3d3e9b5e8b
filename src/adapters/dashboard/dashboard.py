"""The dashboard of one process: one feed, and a page for each viewer."""

from dataclasses import dataclass, field
from typing import Any

import panel as pn

from ...application.operator_ports import Operator
from ...application.ports import Clock
from .feed import Feed
from .library import expect_partings
from .page import SessionsPage

REFRESH_EVERY = 2.0
SLOWEST_REFRESH = 10.0
"""Longest time, in seconds, that a viewer may see what is no longer so."""


@dataclass(kw_only=True)
class Dashboard:
    """Shows the sessions that `operator` sees, read anew each `refresh_every` seconds.

    Keep ONE in a module that the served script imports: Panel runs the script itself again for
    every viewer. Kills are ordered in the name of the viewer who is logged in, else of
    `operator_name`.
    """

    operator: Operator
    clock: Clock
    refresh_every: float = REFRESH_EVERY
    operator_name: str | None = None
    _feed: Feed = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Hold the bounds of the interval."""
        if not 0 < self.refresh_every <= SLOWEST_REFRESH:
            raise ValueError(f"refresh_every must be at most {SLOWEST_REFRESH:.0f} seconds")
        expect_partings()
        self._feed = Feed(
            operator=self.operator,
            clock=self.clock,
            refresh_every=self.refresh_every,
            patience=SLOWEST_REFRESH - self.refresh_every / 2,
        )

    def page(self) -> Any:
        """Return a page for the viewer whose session this is; it has `servable()`."""
        pn.extension("perspective")
        page = SessionsPage(self._feed, requested_by=pn.state.user or self.operator_name)
        document = pn.state.curdoc
        if document is None:
            return page.view

        def tell() -> None:
            document.add_next_tick_callback(page.refresh)

        def ready() -> None:
            leave = self._feed.watch(tell)
            document.on_session_destroyed(lambda _: leave())
            page.refresh()

        # Not before: components of the page miss what changes while the browser makes them.
        pn.state.onload(ready)
        return page.view
