"""Names within paths."""

SLASH_IN_NAME = "\x1f"
"""Stands for an escaped slash in a path: a control character, which no name can hold."""


def name_in(segment: str) -> str:
    """Return the name that a segment of a path stands for."""
    return segment.replace(SLASH_IN_NAME, "/")
