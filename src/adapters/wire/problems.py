"""What is wrong with a request (RFC 9457), and that the service is well."""

from typing import Literal

from msgspec import Struct


class FieldError(Struct, kw_only=True):
    """What is wrong with one field."""

    field: str
    message: str


class Problem(Struct, kw_only=True, omit_defaults=True):
    """What is wrong with a request."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


class Health(Struct, kw_only=True):
    """The service works."""

    status: Literal["ok"] = "ok"
