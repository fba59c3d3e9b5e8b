"""A task: the named piece of work that a session is doing now."""

from dataclasses import dataclass
from datetime import datetime

from .errors import InvalidField
from .ids import optional_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a running session is at; `progress` runs from 0 to 1 where it is known."""

    name: str | None
    started_at: datetime
    progress: float | None = None

    def __post_init__(self) -> None:
        """Hold the rules of a task's fields (raises InvalidField)."""
        object.__setattr__(self, "name", optional_name("task", self.name))
        if self.progress is not None and not 0 <= self.progress <= 1:
            raise InvalidField("progress", "must lie between 0 and 1")
