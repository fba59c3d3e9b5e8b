import pytest
from panel_session_monitor.adapters.dashboard.components.question import seconds


@pytest.mark.parametrize(
    ("minutes", "expected"), [(None, None), ("5", 300), ("0.5", 30), ("1,5", 90), (" 2 ", 120)]
)
def test_minutes_are_entered_as_people_write_them(
    minutes: str | None, expected: float | None
) -> None:
    assert seconds(minutes) == expected


@pytest.mark.parametrize("minutes", ["0", "-1", "soon", "nan", "inf", "1e9"])
def test_what_is_no_time_to_come_is_refused(minutes: str) -> None:
    with pytest.raises(ValueError, match=r"must be|could not convert"):
        seconds(minutes)
