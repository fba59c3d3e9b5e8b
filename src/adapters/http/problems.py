"""Errors as problem details (RFC 9457): one table from what went wrong to the HTTP status."""

import logging
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec

from ...domain.errors import (
    Conflict,
    Gone,
    Invalid,
    InvalidField,
    MonitorError,
    NotFound,
    Unavailable,
)
from ..wire.problems import FieldError, Problem

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS_OF: Mapping[type[MonitorError], HTTPStatus] = {
    Invalid: HTTPStatus.BAD_REQUEST,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Gone: HTTPStatus.GONE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

Handler = Callable[[Request[Any, Any, Any], Any], Response[Problem]]


def refusals(*statuses: int) -> dict[int, ResponseSpec]:
    """Return the documentation of the errors that a route may answer with."""
    return {
        status: ResponseSpec(Problem, media_type=MEDIA_TYPE, description=HTTPStatus(status).phrase)
        for status in (400, *statuses)
    }


def a_problem(status: int, detail: str, errors: list[FieldError] | None = None) -> Problem:
    """Return an error."""
    return Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=errors or [],
    )


def problem(
    status: int,
    detail: str,
    errors: list[FieldError] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[Problem]:
    """Return an error as an answer."""
    content = a_problem(status, detail, errors)
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _of_the_core(status: HTTPStatus) -> Handler:
    def answer(_: Request[Any, Any, Any], error: MonitorError) -> Response[Problem]:
        errors = []
        if isinstance(error, InvalidField):
            errors = [FieldError(field=error.field, message=error.message)]
        return problem(status, str(error), errors)

    return answer


def _of_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    if "disconnected" in error.detail:  # nobody is there to read the answer
        return problem(400, error.detail)
    if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unexpected(request, error)
    return problem(error.status_code, error.detail, list(_fields(error.extra)), error.headers)


def _fields(extra: Any) -> Iterator[FieldError]:
    """Litestar tells of each bad field in a dictionary of its own."""
    for each in extra if isinstance(extra, list) else []:
        if isinstance(each, dict) and each.get("key") == "data":
            yield FieldError(field="", message="the body must be a JSON object")
        elif isinstance(each, dict):
            yield FieldError(field=str(each.get("key", "")), message=str(each.get("message", "")))


def _unreadable(_: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Bodies on which the JSON decoder gives up in its own way."""
    nested = isinstance(error, RecursionError)
    return problem(400, "the body is nested too deep" if nested else "the body is not UTF-8")


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "the server failed; its log says why")


HANDLERS: dict[int | type[Exception], Any] = {
    **{kind: _of_the_core(status) for kind, status in STATUS_OF.items()},
    HTTPException: _of_http,
    UnicodeDecodeError: _unreadable,
    RecursionError: _unreadable,
    Exception: _unexpected,
}
