"""Whether the service is well, and the way to its page."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Redirect

from ...application.health import CheckReadiness
from ..wire.problems import Health, Problem
from .problems import MEDIA_TYPE, problem


@get("/", include_in_schema=False)
async def home() -> Redirect:
    """Lead whoever comes by to the API's page."""
    return Redirect("/schema")


@get("/health/live", tags=["health"])
async def live() -> Health:
    """Tell that the server answers."""
    return Health()


@get(
    "/health/ready", tags=["health"], responses={503: ResponseSpec(Problem, media_type=MEDIA_TYPE)}
)
async def ready(readiness: NamedDependency[CheckReadiness]) -> Health | Response[Problem]:
    """Tell whether the server can do its work, or what is missing."""
    missing = await readiness()
    return problem(503, missing) if missing else Health()


ROUTES = [home, live, ready]
