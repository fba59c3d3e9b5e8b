"""Tasks."""

from math import inf, nan

import pytest
from panel_session_monitor.domain.errors import InvalidField

from ...fakes.examples import a_task


@pytest.mark.parametrize("progress", [None, 0, 0.0, -0.0, 1e-9, 0.5, 1, 1.0])
def test_progress_lies_between_nothing_and_all(progress: float | None) -> None:
    assert a_task(progress=progress).progress == progress


@pytest.mark.parametrize("progress", [nan, inf, -inf, -0.1, -1e-9, 1.0000001, 1.1, 100])
def test_other_progress_is_refused(progress: float) -> None:
    with pytest.raises(InvalidField) as raised:
        a_task(progress=progress)

    assert raised.value.field == "progress"


def test_a_task_needs_no_name() -> None:
    assert a_task(name=None).name is None


def test_the_name_of_a_task_is_trimmed() -> None:
    assert a_task(name=" Loading data\n").name == "Loading data"


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\0b"])
def test_the_name_of_a_task_keeps_the_rule_of_names(name: str) -> None:
    with pytest.raises(InvalidField) as raised:
        a_task(name=name)

    assert raised.value.field == "task"
