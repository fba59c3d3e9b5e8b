"""The API: `psm serve`, or any ASGI server with `panel_session_monitor.entrypoints.api:create`."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from litestar import Litestar

from ..adapters.http.app import create_app
from ..adapters.storage.migrations import upgrade
from .container import Service

log = logging.getLogger(__name__)


def create(service: Service | None = None) -> Litestar:
    """Return the API. Its database is opened, and brought up to date, when it starts.

    Raises BadSetting.
    """
    service = service or Service()

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        engine = service.engine()
        await upgrade(engine)
        sweeping = asyncio.create_task(_sweep(service))
        try:
            yield
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping
            await engine.dispose()

    return create_app(
        service.use_cases(), version=version("panel-session-monitor"), lifespan=lifespan
    )


async def _sweep(service: Service) -> None:
    sweep, interval = service.sweep(), service.settings().sweep_interval
    while True:
        await asyncio.sleep(interval)
        try:
            if expired := await sweep():
                log.info("Sessions that have expired: %d", expired)
        except Exception:
            log.exception("A sweep failed; the next one is due in %g s", interval)
