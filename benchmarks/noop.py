"""The least that a Litestar route can do: what no API on this stack can be faster than."""

from litestar import Litestar, get, post
from litestar.status_codes import HTTP_200_OK


@post("/noop", status_code=HTTP_200_OK)
async def noop() -> dict[str, bool | None]:
    """Answer as a heartbeat is answered, and keep nothing."""
    return {"kill_requested": False, "kill": None}


@get("/alive")
async def alive() -> None:
    """Tell that it is up."""


app = Litestar([noop, alive], openapi_config=None)
