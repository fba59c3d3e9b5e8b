"""A page that blocks its server's event loop from half a second after it was loaded on."""

import time

import panel as pn
from panel_session_monitor import SessionClient

BLOCKED = 8.0
"""For how long, in seconds."""

tracker = SessionClient.get_tracker(app_name="blocked")
tracker.on_kill(lambda: None)


def block() -> None:
    with tracker.task("Blocking"):
        time.sleep(BLOCKED)


assert pn.state.curdoc
pn.state.curdoc.add_timeout_callback(block, 500)
pn.panel("A page").servable()
