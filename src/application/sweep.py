"""Removing from the live list what has been silent for too long."""

from dataclasses import dataclass
from datetime import timedelta

from ..domain.errors import InvalidField
from ..domain.safeguard import Watch
from ..domain.staleness import StalenessPolicy
from .ports import Clock, UnitOfWork

LEAST_SILENCE = timedelta(seconds=120)
"""Shortest silence after which an operator may give a session up."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveStale:
    """Give up silent sessions at an operator's word, without waiting for the sweep.

    Only sessions that are stale can be given up, and none that was heard of in two minutes.
    """

    remove_silent: RemoveSilent
    policy: StalenessPolicy

    async def __call__(self, older_than: timedelta | None = None) -> int:
        """Remove what has been silent for `older_than`, by default as long as a sweep asks for.

        Returns how many (raises Invalid).
        """
        silence = self.policy.expire_after if older_than is None else older_than
        least = max(self.policy.stale_after, LEAST_SILENCE)
        if silence < least:
            raise InvalidField("older_than", f"must be at least {least.total_seconds():g} seconds")
        return await self.remove_silent(silence)


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
