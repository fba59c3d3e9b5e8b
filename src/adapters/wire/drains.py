"""Drains: the terms that an operator sets, and those that stand."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta, Struct, convert

from ...domain.change import DrainChanged
from ...domain.drain import Drain


class DrainBody(Struct, kw_only=True, omit_defaults=True):
    """When what is left of an app's sessions is to be ended, why, and who wants it."""

    kill_after: Annotated[float | None, Meta(description="seconds from now; null: never")] = None
    reason: str | None = None
    requested_by: str | None = None


class DrainView(Struct, kw_only=True):
    """A drain that stands."""

    drain_id: UUID
    app_name: str
    started_at: datetime
    kill_at: datetime | None
    reason: str | None
    requested_by: str | None

    @classmethod
    def of(cls, drain: Drain) -> Self:
        """Return a drain as it travels."""
        return convert(drain, cls, from_attributes=True)

    def drain(self) -> Drain:
        """Return it as the domain knows it."""
        return convert(self, Drain, from_attributes=True)


class DrainChangedView(Struct, kw_only=True):
    """An app's drain is on these terms; null: it is not drained."""

    app_name: str
    drain: DrainView | None

    @classmethod
    def of(cls, change: DrainChanged) -> Self:
        """Return a change of a drain as it travels."""
        return convert(change, cls, from_attributes=True)

    def change(self) -> DrainChanged:
        """Return it as the domain knows it."""
        return convert(self, DrainChanged, from_attributes=True)
