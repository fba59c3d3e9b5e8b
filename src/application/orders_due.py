"""The orders that a process has still to be given."""

from dataclasses import dataclass

from ..domain.ids import ProcessId
from ..domain.report import Order
from .ports import SessionReader


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOrdersDue:
    """Hand a process the kills of its sessions that it has not yet reported as delivered."""

    reader: SessionReader

    async def __call__(self, process_id: ProcessId) -> list[Order]:
        """Return the orders in the order of their ids; none for a process that is not known."""
        return await self.reader.orders(process_id)
