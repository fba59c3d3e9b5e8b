"""The vitals of the process that runs the tests."""

from importlib.metadata import version
from pathlib import Path

import pytest
from panel_session_monitor.adapters import vitals
from panel_session_monitor.adapters.vitals import STATM, ProcessVitals

from ..fakes.clock import SettableClock


def work() -> None:
    """Spend some CPU time."""
    sum(number * number for number in range(300_000))


@pytest.mark.skipif(not STATM.exists(), reason="only Linux tells")
def test_memory_grows_with_what_is_held() -> None:
    reader = ProcessVitals(SettableClock())
    before = reader.read().rss_bytes

    held = b"x" * (64 << 20)
    after = reader.read().rss_bytes

    assert before
    assert after
    assert after - before == pytest.approx(len(held), rel=0.1)


def test_memory_is_left_open_where_nobody_tells(tmp_path: Path) -> None:
    reader = ProcessVitals(SettableClock(), statm=tmp_path / "statm")

    assert reader.read().rss_bytes is None


def test_the_share_of_the_cpu_is_counted_between_two_readings() -> None:
    clock = SettableClock()
    reader = ProcessVitals(clock)
    work()
    clock.advance(1_000)
    first = reader.read().cpu_percent
    clock.advance(1_000_000)

    second = reader.read().cpu_percent

    assert first
    assert second is not None
    assert 0 <= second < first < 100


def test_no_time_no_share() -> None:
    assert ProcessVitals(SettableClock()).read().cpu_percent is None


def test_the_version_is_that_of_the_package() -> None:
    told = ProcessVitals(SettableClock()).read().version

    assert told == version("panel-session-monitor")[: vitals.VERSION_LENGTH]
