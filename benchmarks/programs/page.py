"""A Panel app, tracked where TRACKED is set, which then tells how long the library's calls took."""

import os
from threading import Event
from time import perf_counter

import panel as pn
from panel_session_monitor import SessionClient

from benchmarks.mailbox import tell

if os.environ.get("TRACKED"):
    began = perf_counter()
    tracker = SessionClient.get_tracker(app_name="page")
    with tracker.task("Loading"):
        pass
    tracker.on_kill(Event().set)
    tell(perf_counter() - began)

pn.pane.Markdown("# A report").servable()
