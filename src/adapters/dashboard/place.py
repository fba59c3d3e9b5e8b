"""A place: what a viewer looks at, as it stands in the page's address. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from ...domain.ids import NAME_LENGTH, SessionId
from ...domain.staleness import Status
from .view import Query

PAGES = ("sessions", "apps", "processes", "session")
LONGEST_LAYOUT = 4_000
"""Longest arrangement of the table that an address may bear, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One of the pages, and the query and arrangement of the table of sessions."""

    page: str = "sessions"
    session_id: SessionId | None = None
    query: Query = field(default_factory=Query)
    layout: str = ""

    @classmethod
    def of(cls, address: Mapping[str, str]) -> Self:
        """Read an address; what makes no sense in it is left out."""
        session_id = _id(address.get("session", ""))
        page = "session" if session_id else address.get("page", "")
        known = {each.value for each in Status}
        statuses = {each for each in address.get("status", "").split(",") if each in known}
        layout = address.get("layout", "")
        return cls(
            page=page if page in PAGES and (page != "session" or session_id) else "sessions",
            session_id=session_id,
            query=Query(
                text=address.get("q", "")[:NAME_LENGTH],
                statuses=frozenset(map(Status, statuses)),
                app_name=address.get("app") or None,
            ),
            layout=layout if len(layout) <= LONGEST_LAYOUT else "",
        )

    @property
    def address(self) -> dict[str, str]:
        """The place as the fields of an address; what is usual is not named."""
        named = {
            "page": "" if self.page in ("sessions", "session") else self.page,
            "session": str(self.session_id or "") if self.page == "session" else "",
            "q": self.query.text,
            "status": ",".join(sorted(self.query.statuses)),
            "app": self.query.app_name or "",
            "layout": self.layout,
        }
        return {name: value for name, value in named.items() if value}


def _id(text: str) -> SessionId | None:
    try:
        return SessionId(UUID(text))
    except ValueError:
        return None
