"""The vitals of the process that runs the tests."""

from importlib.metadata import version
from pathlib import Path
from time import process_time

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


@pytest.mark.parametrize("text", ["", "1", "1 many 3"])
def test_memory_is_left_open_where_what_is_told_makes_no_sense(tmp_path: Path, text: str) -> None:
    statm = tmp_path / "statm"
    statm.write_text(text)

    assert ProcessVitals(SettableClock(), statm=statm).read().rss_bytes is None


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


def install(folder: Path, metadata: str) -> None:
    """Have Python find other metadata of the package, in a folder that it looks into first."""
    info = folder / "panel_session_monitor-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(metadata)


def test_a_long_version_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, f"Name: panel-session-monitor\nVersion: 9.{'0' * 60}\n")
    monkeypatch.syspath_prepend(tmp_path)

    assert ProcessVitals(SettableClock()).read().version == f"9.{'0' * 38}"


def test_a_package_without_a_version_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "Name: panel-session-monitor\n")
    monkeypatch.syspath_prepend(tmp_path)

    assert ProcessVitals(SettableClock()).read().version is None


def test_a_core_that_is_kept_busy_is_a_hundred_per_cent() -> None:
    clock = SettableClock()
    reader = ProcessVitals(clock)
    begun = process_time()
    while process_time() - begun < 0.2:
        work()
    spent = process_time() - begun
    clock.advance(spent)

    assert reader.read().cpu_percent == pytest.approx(100, rel=0.5)


def test_what_was_spent_before_the_last_reading_does_not_count_again() -> None:
    clock = SettableClock()
    reader = ProcessVitals(clock)
    begun = process_time()
    while process_time() - begun < 0.2:
        work()
    clock.advance(1)
    busy = reader.read().cpu_percent
    clock.advance(1)

    idle = reader.read().cpu_percent

    assert busy
    assert idle is not None
    assert busy >= 20
    assert idle < 10
