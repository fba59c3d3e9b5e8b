"""The dashboard over sessions that the test sets: GET and PUT a pickle at `/world`.

Served twice over by `panel serve`: as a plug-in, imported once for the process and its routes,
and as the app, which Panel runs anew for each viewer and which so reaches what the plug-in holds.
"""

import pickle
from importlib import import_module

from panel_session_monitor.adapters.clock import SystemClock, TimeOrderedIds
from panel_session_monitor.adapters.dashboard import Dashboard
from tornado.web import RequestHandler

from tests.fakes.operator import InMemoryOperator

operator = InMemoryOperator(clock=SystemClock(), ids=TimeOrderedIds())
dashboard = Dashboard(
    operator=operator, clock=SystemClock(), refresh_every=0.25, operator_name="olga"
)


class World(RequestHandler):
    def get(self) -> None:
        self.write(pickle.dumps({"live": operator.live, "asked": operator.asked}))

    def put(self) -> None:
        world = pickle.loads(self.request.body)
        operator.problem = world["problem"]
        operator.live = {session.session_id: session for session in world["live"]}

    def check_xsrf_cookie(self) -> None:
        """Tests bear no cookies."""


ROUTES: list[tuple[str, type[RequestHandler], dict[str, object]]] = [("/world", World, {})]

if __name__.startswith("bokeh_app"):
    plugin = import_module("tests.e2e.apps.dashboard_on_fake")
    plugin.dashboard.page().servable()
