"""A thousand sessions of Bokeh, without a browser; prints what it costs to track them.

They exist before the measurement begins, so that nothing of Panel's is counted.
"""

import asyncio
import gc
import json
import threading

from bokeh.application import Application
from bokeh.application.handlers import FunctionHandler
from bokeh.core.types import ID
from bokeh.document import Document
from bokeh.server.contexts import ApplicationContext
from panel.io.state import set_curdoc
from panel_session_monitor import SessionClient, Tracker
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.ioloop import IOLoop

from benchmarks.memory import resident

SESSIONS, FIRST = 1_000, 20
"""How many are measured; and how many are tracked before that, for what is needed only once."""

GET = RequestStartLine("GET", "/", "HTTP/1.1")

stop = threading.Event()


def nothing(_: Document) -> None:
    """The app has no page to speak of."""


def track(document: Document) -> Tracker:
    """Do what an app does."""
    with set_curdoc(document):
        tracker = SessionClient.get_tracker(app_name="many", user_id="ada")
        tracker.on_kill(stop.set)
        with tracker.task("Loading"):
            return tracker


async def known(trackers: list[Tracker]) -> None:
    while not all(tracker.online for tracker in trackers):
        await asyncio.sleep(0.05)
    gc.collect()


async def main() -> None:
    server = ApplicationContext(Application(FunctionHandler(nothing)), io_loop=IOLoop.current())
    documents = []
    for number in range(FIRST + SESSIONS):
        request = HTTPServerRequest(start_line=GET, headers=HTTPHeaders(Host="localhost"))
        session = await server.create_session_if_needed(ID(f"session-{number}"), request)
        documents.append(session.document)
    threads = threading.active_count()
    first = list(map(track, documents[:FIRST]))
    await known(first)
    before = resident()
    trackers = list(map(track, documents[FIRST:]))
    await known(trackers)
    print(
        json.dumps(
            {
                "threads": threading.active_count() - threads,
                "bytes": (resident() - before) / SESSIONS,
            }
        )
    )


asyncio.run(main())
