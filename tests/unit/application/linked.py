"""An app whose link runs, and how to wait for what it does: real threads, a clock that is set."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from panel_session_monitor.application.app_ports import MonitorUnavailable
from panel_session_monitor.application.link import Link
from panel_session_monitor.application.tracking import TrackedSession

from ...support.processes import eventually
from .app import App

LOGGER = "panel_session_monitor"
PATIENCE = 5.0
AWAY = MonitorUnavailable("connection refused")


def soon(question: Callable[[], Any]) -> Any:
    """Wait for what does not take long."""
    return eventually(question, patience=PATIENCE, every=0.005)


@dataclass(slots=True)
class Linked(App):
    """An app whose link runs; nearly no random pauses."""

    link: Link = field(init=False)

    def __post_init__(self) -> None:
        App.__post_init__(self)
        self.link = self.linked(lambda: 0.02, coalesce=0.01)

    def known(self, session: TrackedSession) -> Any:
        """Wait until the monitor knows a session and the link knows that; return what it knows."""
        return soon(lambda: self.link.online and self.stored(session))

    def beats(self) -> None:
        """Let the next heartbeat come, and wait until it was sent."""
        before = self.reports_with_beats()
        self.clock.advance(30)
        self.link.wake()
        soon(lambda: self.reports_with_beats() > before)

    def reports_with_beats(self) -> int:
        """Count the heartbeats sent."""
        return sum(bool(report.session_ids) for report in self.monitor.reports)

    def goes_away(self, failure: BaseException = AWAY) -> None:
        """Let the monitor be away, and wait until the link has noticed."""
        self.monitor.failure = failure
        before = self.monitor.attempts
        self.clock.advance(30)
        self.link.wake()
        soon(lambda: self.monitor.attempts > before and not self.link.online)

    def comes_back(self) -> None:
        """Let the monitor be there again, and wait until the link has noticed."""
        self.monitor.failure = None
        soon(lambda: self.link.online)


def pauses_grow(moments: Sequence[float]) -> bool:
    """Tell whether three pauses double, from 0.05 s on, as with random numbers of 0.05."""
    pauses = [later - earlier for earlier, later in pairwise(moments[:4])]
    return all(pause >= 0.05 * 2**at for at, pause in enumerate(pauses)) and len(pauses) == 3


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings about the monitor."""
    return [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]


def errors_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what went wrong, as it was logged."""
    return [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]


def link_threads(name: str = "panel-session-monitor") -> list[threading.Thread]:
    """Return the threads of all links that run."""
    return [each for each in threading.enumerate() if each.name == name]
