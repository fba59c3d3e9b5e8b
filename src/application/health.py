"""Whether the service can do its work."""

from dataclasses import dataclass

from .ports import Readiness


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReadiness:
    """Ask everything that the service cannot do without whether it is there."""

    needed: tuple[Readiness, ...]

    async def __call__(self) -> str | None:
        """Return None, or what is missing in one line."""
        answers = [await each.check() for each in self.needed]
        return "; ".join(filter(None, answers)) or None
