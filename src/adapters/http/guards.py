"""What a request must be before a route looks at it.

Not as Litestar's guards or middleware: these cost more than the route that they guard.
"""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from ..wire.problems import Problem
from .problems import a_problem

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

Headers = Mapping[bytes, bytes]


def refusal(method: str, headers: Headers) -> Problem | None:
    """Return why a request is turned away; None lets it in."""
    if not is_json(headers):
        return a_problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body as application/json")
    if method not in SAFE_METHODS and not is_from_same_site(headers):
        return a_problem(HTTPStatus.FORBIDDEN, "not from a page of another site")
    return None


def is_json(headers: Headers) -> bool:
    """Tell whether a body, if there is one, calls itself JSON: a plain HTML form must not kill."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    has_body = headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
    return kind == b"application/json" or not (kind or has_body)


def is_from_same_site(headers: Headers) -> bool:
    """Tell whether no page of another site has asked a browser for this.

    Browsers name the page's origin with every change, and to some hosts also how it relates.
    """
    origin = headers.get(b"origin")
    foreign = origin is not None and urlsplit(origin).netloc != headers.get(b"host", b"")
    return not foreign and headers.get(b"sec-fetch-site") != b"cross-site"
