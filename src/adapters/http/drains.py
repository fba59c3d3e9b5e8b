"""Apps that operators drain."""

from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from ...application.drain import DrainApp, ListDrains, UndrainApp
from ..wire.drains import DrainBody, DrainView
from .paths import name_in
from .problems import refusals

NO_TERMS = DrainBody()


@put(
    "/apps/{app_name:str}/drain",
    tags=["operators"],
    description=DrainApp.__doc__,
    responses=refusals(403, 413, 415, 503),
)
async def drain_app(
    app_name: FromPath[str],
    drain: NamedDependency[DrainApp],
    data: JSONBody[DrainBody | None] = None,
) -> DrainView:
    """Drain an app."""
    terms = data or NO_TERMS
    return DrainView.of(
        await drain(
            name_in(app_name),
            kill_after=terms.kill_after,
            reason=terms.reason,
            requested_by=terms.requested_by,
        )
    )


@delete(
    "/apps/{app_name:str}/drain",
    tags=["operators"],
    description=UndrainApp.__doc__,
    responses=refusals(403, 503),
)
async def undrain_app(app_name: FromPath[str], undrain: NamedDependency[UndrainApp]) -> None:
    """Take the drain of an app back."""
    await undrain(name_in(app_name))


@get("/drains", tags=["operators"], description=ListDrains.__doc__, responses=refusals())
async def list_drains(drains: NamedDependency[ListDrains]) -> list[DrainView]:
    """List the drains that stand."""
    return [DrainView.of(each) for each in await drains()]


ROUTES = [drain_app, undrain_app, list_drains]
