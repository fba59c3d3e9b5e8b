"""A tracked page, served by Tornado or, run as a module, inside FastAPI by uvicorn.

What its callbacks do goes, a line each, to the file that CALLBACKS names.
"""

import os
import sys
import time
from pathlib import Path
from threading import current_thread

import panel as pn
from panel_session_monitor import SessionClient

RECORD = Path(os.environ["CALLBACKS"])
"""Where the callbacks leave their lines."""


def page() -> pn.viewable.Viewable:
    """Track the session and let the page block its event loop or work for a minute."""
    pn.extension(disconnect_notification="ended by the operator", notifications=True)
    tracker = SessionClient.get_tracker(app_name=os.environ.get("APP_NAME", "tracked"))
    assert tracker is SessionClient.get_tracker(app_name="tracked")
    note = f"{tracker.session_id} {os.getpid()}"

    def record(what: str) -> None:
        with RECORD.open("a") as lines:
            lines.write(f"{what} {note} {current_thread().name}\n")

    tracker.on_kill(lambda: record("function"))

    @tracker.on_kill
    def fail() -> None:
        raise RuntimeError("a callback fails")

    @tracker.on_kill
    async def coroutine() -> None:
        record("coroutine")

    def block(_: object) -> None:
        with tracker.task("Blocking"):
            time.sleep(6)

    button = pn.widgets.Button(name="Block")
    button.on_click(block)
    return pn.Column(f"session {tracker.session_id}", button)


if __name__ == "__main__":
    import uvicorn
    from fastapi import FastAPI
    from panel.io.fastapi import add_applications

    app = FastAPI()
    add_applications({"/tracked": page}, app=app)
    uvicorn.run(app, port=int(sys.argv[1]), log_level="info")
elif __name__.startswith("bokeh_app_"):
    page().servable()
