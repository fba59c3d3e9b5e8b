"""A page that shows the id of its session and can block its server's event loop.

`panel serve` serves it by Tornado, `endings_in_fastapi.py` inside FastAPI.
"""

import asyncio
import time
from typing import Any

import panel as pn
from panel.viewable import Viewable

from tests.e2e.apps.control import note, track

RECONNECT: dict[str, Any] = {"false": False, "true": True, "prompt": "prompt"}


def page() -> Viewable:
    wish = pn.state.session_args.get("reconnect", [b"false"])[0].decode()
    pn.extension(
        notifications=True,
        disconnect_notification="This session has been ended.",
        reconnect=RECONNECT[wish],
    )
    name = track()

    def block(_event: object) -> None:
        note("blocked", name)
        time.sleep(3)
        note("free", name)

    @pn.io.with_lock
    async def lock(_event: object) -> None:
        note("locked", name)
        await asyncio.sleep(8)

    def say(_event: object) -> None:
        note("said", name)

    widgets: Any = pn.widgets  # its classes are partly typed
    return pn.Column(
        f"session {name}",
        widgets.Button(name="Block", on_click=block),
        widgets.Button(name="Keep the lock", on_click=lock),
        widgets.Button(name="Say", on_click=say),
    )


if __name__.startswith("bokeh_app"):
    page().servable()
