"""Every error stands on the branch that says what to do about it, and bears its ids."""

import pytest
from panel_session_monitor.domain.errors import (
    Conflict,
    Gone,
    Invalid,
    InvalidField,
    MonitorError,
    NotFound,
    SessionEnded,
    SessionNotFound,
    SessionOfAnotherApp,
    SessionOfAnotherProcess,
)

from ...fakes.examples import session_id


@pytest.mark.parametrize(
    ("error", "branch"),
    [
        (SessionNotFound(session_id()), NotFound),
        (SessionOfAnotherApp(session_id(), "sales"), Conflict),
        (SessionOfAnotherProcess(session_id()), Conflict),
        (SessionEnded(session_id()), Gone),
    ],
)
def test_an_error_about_a_session_names_it(
    error: SessionNotFound | SessionOfAnotherApp | SessionOfAnotherProcess | SessionEnded,
    branch: type[MonitorError],
) -> None:
    assert isinstance(error, branch)
    assert error.session_id == session_id()
    assert str(session_id()) in str(error)


def test_an_invalid_field_is_invalid_input() -> None:
    error = InvalidField("progress", "must lie between 0 and 1")

    assert isinstance(error, Invalid)
    assert str(error) == "progress: must lie between 0 and 1"
