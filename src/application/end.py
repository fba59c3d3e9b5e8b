"""The end of one session, told by itself."""

from dataclasses import dataclass

from ..domain.report import Ending, Report
from .intake import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession:
    """Move a session from the live list to the history. Ending it again changes nothing."""

    record: Record

    async def __call__(self, ending: Ending) -> None:
        """Store the end (raises NotFound)."""
        (await self.record(Report(news=(ending,)))).require()
