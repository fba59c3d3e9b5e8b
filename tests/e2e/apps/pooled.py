"""A tracked page whose sessions fill the worker pool with work that heeds nothing."""

import asyncio

import panel as pn
from panel_session_monitor import SessionClient

from tests.support.work import heed_nothing_for

tracker = SessionClient.get_tracker(app_name="pooled")


async def fill() -> None:
    async with tracker.pool() as work, tracker.task("Heeding nothing") as task:
        await work.map(heed_nothing_for, range(2), task=task)


running = asyncio.ensure_future(fill())  # noqa: RUF006  # the session keeps its script
pn.pane.Markdown("It works in the background.").servable()
