"""The dashboard of one process: one mirror, and a page for each viewer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import panel as pn

from ...application.operator_ports import Operator
from ...application.ports import Clock
from ...domain.staleness import StalenessPolicy
from .library import expect_partings
from .mirror import Mirror
from .place import Place
from .pump import Pump
from .viewer import Viewer

DOCUMENT_READY = "document_ready"


@dataclass(kw_only=True)
class Dashboard:
    """Shows what `operator` sees, as it changes.

    Keep ONE in a module that the served script imports: Panel runs the script itself again for
    every viewer. Orders are given in the name of the viewer who is logged in, else of
    `operator_name`. `random` spreads the attempts to reach a server that is away.
    """

    operator: Operator
    clock: Clock
    random: Callable[[], float]
    policy: StalenessPolicy = field(default_factory=StalenessPolicy)
    operator_name: str | None = None
    _pump: Pump = field(init=False, repr=False)

    def __post_init__(self) -> None:
        expect_partings()
        mirror = Mirror(clock=self.clock, policy=self.policy)
        self._pump = Pump(operator=self.operator, mirror=mirror, random=self.random)

    def page(self) -> Any:
        """Return a page for the viewer whose session this is; it has `servable()`."""
        return self._viewer(_address()).page()

    def panel(self) -> Any:
        """Return the same without a page around it, for a page that has other things as well.

        For Panel's own admin: `pn.config.admin_plugins.append(("Sessions", dashboard.panel))`.
        """
        viewer = self._viewer(Place())
        viewer.dark(pn.config.theme == "dark")
        return viewer.body

    def _viewer(self, place: Place) -> Viewer:
        pn.extension("perspective")
        document = pn.state.curdoc
        if document is None:
            raise RuntimeError("the dashboard needs a viewer: serve it with Panel")
        viewer = Viewer(self._pump, document, pn.state.user or self.operator_name, place)

        def watch() -> None:
            leave = self._pump.watch(viewer.notice)

            def left(_: object) -> None:
                leave()
                viewer.desk.leave()

            document.on_session_destroyed(left)

        # At once, so that it has looked when the browser is ready; but `--warm` has no loop yet.
        document.add_next_tick_callback(watch)
        # Panel's own `onload` is silent in its admin.
        document.on_event(DOCUMENT_READY, lambda _: viewer.begin())
        return viewer


def _address() -> Place:
    """Return what the address of the viewer's page says."""
    named = pn.state.session_args or {}
    return Place.of({name: values[0].decode(errors="replace") for name, values in named.items()})
