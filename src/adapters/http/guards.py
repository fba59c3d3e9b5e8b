"""What a request must be before a route looks at it."""

from typing import Any
from urllib.parse import urlsplit

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
    headers = _headers(connection)
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
    if (kind or has_body) and kind != b"application/json":
        raise UnsupportedMediaType("send the body as application/json")


def same_site_only(connection: Connection, _: BaseRouteHandler) -> None:
    """Refuse changes that a page of another site asks a browser for.

    Browsers name the page's origin with every change, and to some hosts also how it relates.
    """
    headers = _headers(connection)
    if connection.scope.get("method") in SAFE_METHODS:
        return
    origin = headers.get(b"origin")
    foreign = origin is not None and urlsplit(origin).netloc != headers.get(b"host", b"")
    if foreign or headers.get(b"sec-fetch-site") == b"cross-site":
        raise PermissionDeniedException("not from a page of another site")


def _headers(connection: Connection) -> dict[bytes, bytes]:
    """Return the headers as they came: Litestar's own view of them costs more than a route."""
    return dict(connection.scope["headers"])
