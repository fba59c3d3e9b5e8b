from collections import Counter

import pytest
from panel_session_monitor.adapters.dashboard.pages.apps import tasks
from panel_session_monitor.adapters.dashboard.pages.processes import link
from panel_session_monitor.adapters.dashboard.words import NONE
from panel_session_monitor.application.ports import LiveProcess
from panel_session_monitor.application.processes import Processes
from panel_session_monitor.domain.report import Figures
from panel_session_monitor.domain.staleness import StalenessPolicy, Status

from ..fakes.clock import NOON
from ..fakes.examples import a_process, ago


@pytest.mark.parametrize(
    ("silence", "connected", "told"),
    [
        (119, True, ("connected", Status.IDLE)),
        (119, False, ("heartbeats only", Status.RUNNING)),
        (120, True, ("silent", Status.STALE)),
    ],
)
def test_a_link_is_told_by_its_silence_and_its_stream(
    silence: float, connected: bool, told: tuple[str, Status]
) -> None:
    process = LiveProcess(
        process=a_process(),
        started_at=ago(3600),
        last_heartbeat=ago(silence),
        sessions=1,
        figures=Figures(connected=connected),
    )

    shown = link(process, Processes(processes=[process], at=NOON), StalenessPolicy())

    assert shown == told


@pytest.mark.parametrize(
    ("running", "named"),
    [
        ({}, NONE),
        ({"Load": 1}, "Load"),
        ({"Load": 2, "Fit": 1, "Plot": 1}, "Load (2), Fit, Plot"),
        (
            {"Load": 1200, "Fit": 2, "Plot": 1, "Save": 1, "Send": 1},
            "Load (1,200), Fit (2), Plot, and 2 more",
        ),
    ],
)
def test_the_most_frequent_tasks_are_named(running: dict[str, int], named: str) -> None:
    shown = tasks(Counter(running))

    assert shown == named
