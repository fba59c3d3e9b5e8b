"""The API: `psm serve`, or any ASGI server with `panel_session_monitor.entrypoints.api:create`."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from litestar import Litestar

from ..adapters.http.app import create_app
from ..adapters.storage.migrations import upgrade
from ..adapters.storage.sqlite import SqliteDatabase
from .container import Service
from .hosting import keep_pauses_short, told_to_stop

CHECKPOINT_EVERY = 1.0
"""Time between two looks at the length of the database's log, in seconds."""

DRAIN_EVERY = 0.5
"""Time between two looks at the drains that are to kill by now, in seconds."""

log = logging.getLogger(__name__)


def create(service: Service | None = None) -> Litestar:
    """Return the API. Its database is opened, and brought up to date, when it starts.

    Raises BadSetting.
    """
    service = service or Service()

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        database = service.database()
        upgrade(database)
        chores = [
            asyncio.create_task(_sweep(service)),
            asyncio.create_task(_enforce_drains(service)),
            asyncio.create_task(_checkpoint(database)),
            asyncio.create_task(keep_pauses_short()),
        ]

        def end_streams() -> None:
            service.feed().close()
            service.kills().close()

        try:
            with told_to_stop(end_streams):
                yield
        finally:
            end_streams()
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)
            database.dispose()

    return create_app(
        service.use_cases(), version=version("panel-session-monitor"), lifespan=lifespan
    )


async def _checkpoint(database: SqliteDatabase) -> None:
    while True:
        await asyncio.sleep(CHECKPOINT_EVERY)
        try:
            await database.checkpoint()
        except Exception:
            log.exception("A checkpoint failed; the next one is due in %g s", CHECKPOINT_EVERY)


async def _sweep(service: Service) -> None:
    sweep, interval = service.sweep(), service.settings().sweep_interval
    while True:
        await asyncio.sleep(interval)
        try:
            if expired := await sweep():
                log.info("Sessions that have expired: %d", expired)
        except Exception:
            log.exception("A sweep failed; the next one is due in %g s", interval)


async def _enforce_drains(service: Service) -> None:
    enforce = service.enforce_drains()
    while True:
        await asyncio.sleep(DRAIN_EVERY)
        try:
            if killed := await enforce():
                log.info("Sessions killed because their app is drained: %d", killed)
        except Exception:
            log.exception("Drains were not enforced; the next look is due in %g s", DRAIN_EVERY)
