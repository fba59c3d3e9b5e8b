"""What `GET /events` carries beside sessions."""

from datetime import datetime
from typing import Self
from uuid import UUID

from msgspec import Struct, convert

from ...domain.change import Heard


class HeardView(Struct, kw_only=True):
    """Heartbeats came at a moment: of these sessions, and of all that beat with these processes."""

    at: datetime
    session_ids: list[UUID]
    process_ids: list[UUID]

    @classmethod
    def of(cls, heard: Heard) -> Self:
        """Return heartbeats as they travel."""
        return convert(heard, cls, from_attributes=True)

    def heard(self) -> Heard:
        """Return them as the domain knows them."""
        return convert(self, Heard, from_attributes=True)
