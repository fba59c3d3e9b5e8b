"""What a request must be before a route looks at it."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import ClientException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.status_codes import HTTP_415_UNSUPPORTED_MEDIA_TYPE

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

Connection = ASGIConnection[Any, Any, Any, Any]


class UnsupportedMediaType(ClientException):
    """The body is of a kind that this API does not read."""

    status_code = HTTP_415_UNSUPPORTED_MEDIA_TYPE


def json_only(connection: Connection, _: BaseRouteHandler) -> None:
    """Refuse bodies that do not call themselves JSON: a plain HTML form must not send a kill."""
    headers = connection.headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if (kind or has_body) and kind != "application/json":
        raise UnsupportedMediaType("send the body as application/json")


def same_site_only(connection: Connection, _: BaseRouteHandler) -> None:
    """Refuse changes that a page of another site asks a browser for."""
    if connection.headers.get("sec-fetch-site") == "cross-site":
        method = connection.scope.get("method")
        if method not in SAFE_METHODS:
            raise PermissionDeniedException("not from a page of another site")
