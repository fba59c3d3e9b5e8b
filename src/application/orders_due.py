"""The orders that a process has still to be given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.drain import Drain
from ..domain.ids import ProcessId
from ..domain.report import Notice, Order
from .ports import Clock, SessionReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a process is to be told `at` a moment: orders in the order of their ids, all drains."""

    orders: Sequence[Order | Notice]
    drains: Sequence[Drain]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOrdersDue:
    """Hand a process the kills and messages that it has not yet reported as delivered or shown."""

    reader: SessionReader
    clock: Clock

    async def __call__(self, process_id: ProcessId) -> Due:
        """Return what is due; no orders for a process that is not known."""
        return Due(
            orders=await self.reader.orders(process_id),
            drains=await self.reader.drains(),
            at=self.clock.now(),
        )
