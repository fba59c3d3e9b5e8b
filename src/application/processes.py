"""Reading the processes that serve sessions."""

from dataclasses import dataclass
from datetime import datetime

from ..domain.staleness import StalenessPolicy
from .ports import Clock, LiveProcess, SessionReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """The processes as they are `at` a moment."""

    processes: list[LiveProcess]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListProcesses:
    """Show the processes that serve sessions, or did so lately, with what they tell of themselves.

    Whether the order stream stands, whether it beats and whether its event loop works are three
    facts: `connected`, the last heartbeat, and the loop's lag.
    """

    reader: SessionReader
    clock: Clock
    policy: StalenessPolicy

    async def __call__(self) -> Processes:
        """Return the processes that have sessions or were heard of before they would expire."""
        now = self.clock.now()
        heard_after = self.policy.expired_since(now)
        return Processes(processes=await self.reader.processes(heard_after), at=now)
