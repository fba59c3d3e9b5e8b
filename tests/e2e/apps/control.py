"""What the apps share in their process: orders come as files, what happens goes to a file.

An order is a file `kill-ID` in the folder CONTROL, with the reason in it. Panel runs an app's own
file anew for every session, so this must be a module of its own.
"""

import asyncio
import atexit
import json
import os
import signal
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn
from panel_session_monitor.adapters.panel import PanelSession, current_session

CONTROL = Path(os.environ["CONTROL"])

live: dict[str, PanelSession] = {}
watching = threading.Lock()


def note(event: str, session: str, detail: object = None) -> None:
    line = json.dumps({"event": event, "session": session, "at": time.time(), "detail": detail})
    with (CONTROL / "events.jsonl").open("a") as events:
        events.write(f"{line}\n")


async def note_thread(session: str) -> None:
    await asyncio.sleep(0)
    note("coroutine", session, threading.current_thread().name)


def track() -> str:
    """Track the session whose code calls this; return its Bokeh id."""
    session = current_session()
    assert session is not None
    assert session is current_session()
    name = session.key[0]
    note("created", name, session.key[1])
    live[name] = session
    session.on_over(partial(note_over, name))
    pn.state.on_session_destroyed(lambda _: note("destroyed", name))
    pn.state.onload(partial(note, "ready", name))
    if watching.acquire(blocking=False):
        threading.Thread(target=watch, daemon=True).start()
        atexit.register(run_last, "at exit")
        signal.signal(signal.SIGTERM, partial(stop, signal.getsignal(signal.SIGTERM)))
    return name


def note_over(name: str) -> None:
    note("over", name)
    threading.Thread(target=run, args=(name, "when over"), daemon=True).start()


def run(name: str, moment: str) -> None:
    live[name].run(note_thread(f"{name} {moment}"))(5)


def watch() -> None:
    while True:
        for order in CONTROL.glob("kill-*"):
            obey(order.name.removeprefix("kill-"), order.read_text())
            order.unlink()
        time.sleep(0.02)


def obey(name: str, reason: str) -> None:
    live[name].end(reason)
    live[name].end("ended twice")
    note("end returned", name)


def run_last(moment: str) -> None:
    for name in live:
        run(name, moment)


def stop(then: Any, *signs: Any) -> None:
    run_last("at SIGTERM")
    then(*signs)
