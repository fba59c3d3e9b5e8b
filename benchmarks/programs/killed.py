"""A Panel app that tells when its callbacks run, by the clock that all processes here share."""

import os
from time import monotonic

import panel as pn
from panel_session_monitor import SessionClient

from benchmarks.mailbox import tell

tracker = SessionClient.get_tracker(
    app_name="killed", heartbeat_interval=float(os.environ["HEARTBEAT_INTERVAL"])
)
session_id = str(tracker.session_id)


@tracker.on_kill
def stopped() -> None:
    tell(session_id, monotonic())


tell(session_id)
pn.pane.Markdown("# At work").servable()
