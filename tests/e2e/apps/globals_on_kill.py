"""A page whose callbacks use what its module holds, as every app's do."""

import os
import threading
from pathlib import Path

import panel as pn
from panel_session_monitor import SessionClient

pn.extension(reconnect=True)
stop = threading.Event()
record = Path(os.environ["CALLBACKS"])
tracker = SessionClient.get_tracker(app_name="globals")


def note(line: str) -> None:
    stop.set()
    with record.open("a") as lines:
        lines.write(f"{line}\n")


@tracker.on_kill
def cancel() -> None:
    note("function")


@tracker.on_kill
async def cancel_slowly() -> None:
    note("coroutine")


pn.panel("A page").servable()
