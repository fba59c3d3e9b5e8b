"""Reading apps: those that have live sessions, and those that are drained."""

from dataclasses import dataclass, replace

from ..domain.staleness import StalenessPolicy
from .ports import Clock, LiveApp, SessionReader


@dataclass(frozen=True, slots=True, kw_only=True)
class ListApps:
    """Show the apps that have live sessions or are being drained, in the order of their names."""

    reader: SessionReader
    clock: Clock
    policy: StalenessPolicy

    async def __call__(self) -> list[LiveApp]:
        """Return the apps as they are at this moment."""
        drains = {each.app_name: each for each in await self.reader.drains()}
        live = await self.reader.apps(self.policy.stale_since(self.clock.now()))
        every = {name: LiveApp(app_name=name) for name in drains}
        every |= {each.app_name: each for each in live}
        return [replace(every[name], drain=drains.get(name)) for name in sorted(every)]
