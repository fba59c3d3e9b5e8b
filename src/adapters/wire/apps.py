"""Apps, as they are shown."""

from typing import Self

from msgspec import Struct, convert

from ...application.ports import LiveApp
from .drains import DrainView


class AppView(Struct, kw_only=True):
    """An app with its live sessions, by what they do, and how many users they are of."""

    app_name: str
    sessions: int
    idle: int
    running: int
    stale: int
    users: int
    drain: DrainView | None

    @classmethod
    def of(cls, app: LiveApp) -> Self:
        """Return an app as it travels."""
        return convert(app, cls, from_attributes=True)

    def app(self) -> LiveApp:
        """Return it as the application knows it."""
        return convert(self, LiveApp, from_attributes=True)
