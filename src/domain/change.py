"""A change: what has come to be true of the live list, told to those who watch it."""

from dataclasses import dataclass
from datetime import datetime

from .drain import Drain
from .ids import ProcessId, SessionId
from .session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A session is as it is here: new, changed, or ended."""

    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Heartbeats came at a moment: of these sessions, and of all that beat with these processes."""

    at: datetime
    session_ids: tuple[SessionId, ...] = ()
    process_ids: tuple[ProcessId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainChanged:
    """An app's drain is on these terms; None: it is not drained."""

    app_name: str
    drain: Drain | None


Change = Changed | Heard | DrainChanged
