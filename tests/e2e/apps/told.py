"""A tracked page that wears what its address asks for, and can block its server's event loop."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import panel as pn
from panel_session_monitor import SessionClient

HOLD = Path(os.environ["HOLD"])


def wish(name: str, default: str) -> str:
    """Return what the page's address says of a thing."""
    return str(pn.state.session_args.get(name, [default.encode()])[0].decode())


def block(_event: object) -> None:
    """Hold up everything that the server does, for as long as there is a file HOLD."""
    HOLD.with_suffix(".begun").touch()
    while HOLD.exists():
        time.sleep(0.02)


@pn.io.with_lock
async def lock(_event: object) -> None:
    """Keep the document's lock, longer than any kill would wait."""
    await asyncio.sleep(30)


template = wish("template", "")
pn.extension(
    theme=wish("theme", "default"),
    notifications=wish("notifications", "") == "on",
    reconnect=wish("reconnect", "") == "on",
    **({"template": template} if template else {}),
)
tracker = SessionClient.get_tracker(app_name=wish("app", "told"))


def draining() -> str:
    """Tell what the app itself knows of the drain."""
    drain = tracker.draining
    return f"drained for {drain.reason}" if drain else "not drained"


widgets: Any = pn.widgets  # its classes are partly typed
state = pn.pane.Markdown(draining())
pn.Column(
    pn.pane.Markdown(f"session {tracker.session_id}"),
    state,
    widgets.Button(name="Look", on_click=lambda _: state.param.update(object=draining())),
    widgets.Button(name="Block", on_click=block),
    widgets.Button(name="Keep the lock", on_click=lock),
).servable(title="Told")
