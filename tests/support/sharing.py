"""Sessions that share a pool."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from panel_session_monitor.application.pool import SharedPool, Work


@dataclass(eq=False)
class Session:
    """Someone who shares it, and what is called at their end."""

    shared: SharedPool[Any]
    ends: list[Callable[[], None]] = field(default_factory=list)

    def share(self) -> Work:
        return self.shared.share(self, self.ends.append)

    def end(self) -> None:
        for each in self.ends:
            each()
