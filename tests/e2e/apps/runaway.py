"""A page whose work never ends by itself, served by Tornado or, run as a module, inside FastAPI."""

import asyncio
import sys
from itertools import count
from typing import Any

import panel as pn
from panel.viewable import Viewable
from panel_session_monitor import SessionClient


def page() -> Viewable:
    pn.extension()
    tracker = SessionClient.get_tracker(app_name="runaway")
    widgets: Any = pn.widgets  # its classes are partly typed
    answer = widgets.StaticText(value="nothing yet")

    def loop(_: object) -> None:
        with tracker.task("Loop", interruptible=True):
            for number in count():
                try:
                    _ = number / 0
                except Exception:
                    continue

    async def wait(_: object) -> None:
        async with tracker.task("Wait", interruptible=True):
            await asyncio.Event().wait()

    def say(_: object) -> None:
        answer.value = "still here"

    return pn.Column(
        f"session {tracker.session_id}",
        widgets.Button(name="Loop", on_click=loop),
        widgets.Button(name="Wait", on_click=wait),
        widgets.Button(name="Say", on_click=say),
        answer,
    )


if __name__ == "__main__":
    import uvicorn
    from fastapi import FastAPI
    from panel.io.fastapi import add_applications

    app = FastAPI()
    add_applications({"/runaway": page}, app=app)
    uvicorn.run(app, port=int(sys.argv[1]), log_level="info")
elif __name__.startswith("bokeh_app_"):
    page().servable()
