"""Removing from the live list what has been silent for too long."""

from dataclasses import dataclass
from datetime import timedelta

from ..domain.safeguard import Watch
from ..domain.staleness import StalenessPolicy
from .ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSilent:
    """Move every session that has been silent for a given time to the history, as expired."""

    unit_of_work: UnitOfWork
    clock: Clock

    async def __call__(self, silence: timedelta) -> int:
        """Remove the sessions that were silent for `silence` or longer; return how many."""
        now = self.clock.now()
        async with self.unit_of_work() as sessions:
            silent = await sessions.silent_since(now - silence)
            await sessions.save(session.expired(now) for session in silent)
        return len(silent)


@dataclass(slots=True, kw_only=True)
class Sweep:
    """The regular round: expire the silent, forget the old.

    Nothing expires before the monitor itself has listened for as long as a session may be
    silent: after an outage of its own, everybody seems silent.
    """

    remove_silent: RemoveSilent
    unit_of_work: UnitOfWork
    clock: Clock
    policy: StalenessPolicy
    keep_history: timedelta
    watch: Watch

    async def __call__(self) -> int:
        """Do one round; return how many sessions expired."""
        now = self.clock.now()
        async with self.unit_of_work() as sessions:
            await sessions.forget_ended(now - self.keep_history)
        self.watch = self.watch.look(now)  # only now: without its store the monitor hears nobody
        if not self.watch.heard_nothing_for(self.policy.expire_after):
            return 0
        return await self.remove_silent(self.policy.expire_after)
