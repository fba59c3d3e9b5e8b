"""The dashboard over sessions that the test sets: GET and PUT a pickle at `/world`.

Served twice over by `panel serve`: as a plug-in, imported once for the process and its routes,
and as the app, which Panel runs anew for each viewer and which so reaches what the plug-in holds.
"""

import gc
import pickle
import random
from importlib import import_module
from typing import Any

from panel_session_monitor.adapters.clock import SystemClock, TimeOrderedIds
from panel_session_monitor.adapters.dashboard import Dashboard
from panel_session_monitor.adapters.dashboard.viewer import Viewer
from panel_session_monitor.domain.session import Session
from tornado.web import RequestHandler

from tests.fakes.operator import InMemoryOperator

operator = InMemoryOperator(clock=SystemClock(), ids=TimeOrderedIds())
dashboard = Dashboard(
    operator=operator, clock=SystemClock(), random=random.random, operator_name="olga"
)


def become(live: dict[Any, Session]) -> None:
    """Let the sessions that are not among the live ones end, and the others be as they are."""
    operator.end(*(operator.live.keys() - live.keys()))
    operator.hold(*(each for key, each in live.items() if operator.live.get(key) != each))


def viewers() -> int:
    """Return how many viewers this process still has in its memory."""
    gc.collect()
    return sum(type(each) is Viewer for each in gc.get_objects())


class World(RequestHandler):
    def get(self) -> None:
        names = ("live", "asked", "drained", "happened")
        world = {name: getattr(operator, name) for name in names}
        self.write(pickle.dumps(world | {"viewers": viewers()}))

    def put(self) -> None:
        world = pickle.loads(self.request.body)
        operator.hold(*world.get("more", ()))
        if "live" in world:
            become({session.session_id: session for session in world["live"]})
        for name in ("drained", "serving", "happened", "problem"):
            if name in world:
                setattr(operator, name, world[name])
        if world.get("forget"):
            operator.forget()
        operator.poke()

    def check_xsrf_cookie(self) -> None:
        """Tests bear no cookies."""


ROUTES: list[tuple[str, type[RequestHandler], dict[str, object]]] = [("/world", World, {})]

if __name__.startswith("bokeh_app"):
    plugin = import_module("tests.e2e.apps.dashboard_on_fake")
    plugin.dashboard.page().servable(title="Panel Session Monitor")
