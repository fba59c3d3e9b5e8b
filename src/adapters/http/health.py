"""Whether the service is well: for load balancers and for people."""

from litestar import Response, get
from litestar.di import NamedDependency

from ...application.health import CheckReadiness
from ..wire.problems import Health, Problem
from .problems import problem


@get("/health/live")
async def live() -> Health:
    """Tell that the server answers."""
    return Health()


@get("/health/ready")
async def ready(readiness: NamedDependency[CheckReadiness]) -> Health | Response[Problem]:
    """Tell whether the server can do its work, or what is missing."""
    missing = await readiness()
    return problem(503, missing) if missing else Health()


ROUTES = [live, ready]
