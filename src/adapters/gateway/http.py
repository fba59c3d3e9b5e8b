"""What both sides of the gateway say in every request."""

import httpx
import msgspec

from ...domain.errors import MonitorError

NONSENSE = (
    msgspec.MsgspecError,
    MonitorError,
    OverflowError,
    RecursionError,
    UnicodeDecodeError,
)
"""What reading an answer raises that no monitor gave."""

PATIENCE = 5.0
"""Longest silence borne while connecting, sending or reading, in seconds."""

TIMEOUT = httpx.Timeout(PATIENCE)


def shown(url: str) -> str:
    """Return an address for people and logs: without the login it may hold."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def headers(token: str | None) -> dict[str, str]:
    """Return the headers of every request."""
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    return {"Content-Type": "application/json", "Accept": "application/json"} | authorization
