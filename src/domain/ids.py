"""Identifiers and names: their form and their rules."""

import unicodedata
from typing import NewType
from uuid import UUID

from .errors import InvalidField

SessionId = NewType("SessionId", UUID)
ProcessId = NewType("ProcessId", UUID)
KillId = NewType("KillId", UUID)
MessageId = NewType("MessageId", UUID)
DrainId = NewType("DrainId", UUID)

NAME_LENGTH = 200
"""Longest name of an app, a user or a task, in characters."""

REASON_LENGTH = 500
"""Longest reason of a kill or a drain, in characters."""

MESSAGE_LENGTH = 1_000
"""Longest message to a page, in characters."""

_UNPRINTABLE = {"Cc", "Cs"}
"""Unicode categories no name may hold: control characters and lone surrogates."""


def name(field: str, text: str, longest: int = NAME_LENGTH) -> str:
    """Return `text` trimmed, if it is a name: 1 to `longest` characters, none of them control.

    Raises InvalidField, which bears the name of the `field`.
    """
    trimmed = text.strip()
    if not 1 <= len(trimmed) <= longest:
        raise InvalidField(field, f"must have 1 to {longest} characters, not {len(trimmed)}")
    plain = trimmed.isprintable()  # most are, and the slow look below is not needed
    if not plain and any(unicodedata.category(each) in _UNPRINTABLE for each in trimmed):
        raise InvalidField(field, "must not contain control characters")
    return trimmed


def text(field: str, value: str, longest: int) -> str:
    """Return `value` trimmed, if it is a text: as a name is, but it may have several lines.

    Raises InvalidField, which bears the name of the `field`.
    """
    lines = value.strip().splitlines()
    name(field, " ".join(lines), longest)
    return "\n".join(lines)


def cleaned(text: object, fallback: str) -> str:
    """Return the name nearest to `text`: for callers who must not be bothered with an error."""
    printable = (
        " " if unicodedata.category(character) in _UNPRINTABLE else character
        for character in str(text)[: 2 * NAME_LENGTH]
    )
    return "".join(printable).strip()[:NAME_LENGTH].strip() or fallback


def optional_name(field: str, text: str | None, longest: int = NAME_LENGTH) -> str | None:
    """Return `text` as a name, or None where there is none."""
    return None if text is None else name(field, text, longest)


def uuid7(milliseconds: int, randomness: int) -> UUID:
    """Return a time-ordered UUID, version 7 (RFC 9562, section 5.7).

    `milliseconds` since the Unix epoch fill the first 48 bits, `randomness` (74 bits) the rest.
    """
    timestamp = (milliseconds & (1 << 48) - 1) << 80
    version, variant = 7 << 76, 0b10 << 62
    high, low = (randomness >> 62 & (1 << 12) - 1) << 64, randomness & (1 << 62) - 1
    return UUID(int=timestamp | version | high | variant | low)
