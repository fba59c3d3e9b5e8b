"""Draining an app: its sessions are told that it comes to an end, and are ended when it has."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..domain.drain import Drain
from ..domain.errors import InvalidField
from ..domain.ids import DrainId, KillId, name
from ..domain.kill import Kill
from ..domain.report import LONGEST_AGE
from .ports import Clock, Ids, SessionReader, UnitOfWork

WHY = "The app is being drained"
"""The reason of the kills, where the operator gave none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainApp:
    """Tell an app's sessions, old and new, that it is being drained. New terms replace old ones.

    `kill_after` seconds from now what is left of them is ended, and so is whatever comes later,
    until the drain is taken back; without it they are let be.
    """

    unit_of_work: UnitOfWork
    clock: Clock
    ids: Ids

    async def __call__(
        self,
        app_name: str,
        *,
        kill_after: float | None = None,
        reason: str | None = None,
        requested_by: str | None = None,
    ) -> Drain:
        """Store the drain and return it (raises Invalid)."""
        if kill_after is not None and not 0 <= kill_after <= LONGEST_AGE:
            message = f"must lie between 0 and {LONGEST_AGE:.0f} seconds"
            raise InvalidField("kill_after", message)
        now = self.clock.now()
        drain = Drain(
            drain_id=DrainId(self.ids.new()),
            app_name=app_name,
            started_at=now,
            kill_at=None if kill_after is None else now + timedelta(seconds=kill_after),
            reason=reason,
            requested_by=requested_by,
        )
        async with self.unit_of_work() as sessions:
            await sessions.drain(drain)
        return drain


@dataclass(frozen=True, slots=True, kw_only=True)
class UndrainApp:
    """Take the drain of an app back; without one nothing happens."""

    unit_of_work: UnitOfWork

    async def __call__(self, app_name: str) -> None:
        """Delete the drain (raises Invalid)."""
        app_name = name("app_name", app_name)
        async with self.unit_of_work() as sessions:
            if any(each.app_name == app_name for each in await sessions.drains()):
                await sessions.undrain(app_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDrains:
    """Show the drains that stand, in the order of the apps' names."""

    reader: SessionReader

    async def __call__(self) -> list[Drain]:
        """Return the drains."""
        return await self.reader.drains()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnforceDrains:
    """Order the end, once, of every session that is still there when its app's drain kills."""

    reader: SessionReader
    unit_of_work: UnitOfWork
    clock: Clock
    ids: Ids

    async def __call__(self) -> int:
        """Do one round; return how many sessions were ordered killed."""
        now = self.clock.now()
        left = await self.reader.overstaying(now)
        if not left:
            return 0
        async with self.unit_of_work() as sessions:  # in here no drain is taken back meanwhile
            killing = {each.app_name: each for each in await sessions.drains() if each.kills(now)}
            found = (await sessions.get(left)).values()
            doomed = [each for each in found if not each.end and each.app_name in killing]
            await sessions.save(
                each.ordered(self._kill(killing[each.app_name], now)) for each in doomed
            )
        return len(doomed)

    def _kill(self, drain: Drain, now: datetime) -> Kill:
        return Kill(
            kill_id=KillId(self.ids.new()),
            requested_at=now,
            reason=drain.reason or WHY,
            requested_by=drain.requested_by,
        )
