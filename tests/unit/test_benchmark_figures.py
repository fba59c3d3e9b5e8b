"""The figures of the benchmarks: what meets a target, and how they are written down."""

from pathlib import Path

import pytest

from benchmarks.figures import MANY, Figure
from benchmarks.table import BEGIN, END, table, write


@pytest.mark.parametrize(
    ("sample", "bound", "more_is_better", "met"),
    [
        ([1.0, 2.0, 9.0], 2.0, False, True),
        ([1.0, 2.1, 9.0], 2.0, False, False),
        ([1.0, 2.0, 9.0], 2.0, True, True),
        ([1.0, 1.9, 9.0], 2.0, True, False),
    ],
)
def test_a_median_is_held_against_its_target(
    sample: list[float], bound: float, more_is_better: bool, met: bool
) -> None:
    figure = Figure.of("x", sample, "s", targets={"median": bound}, more_is_better=more_is_better)

    assert figure.met is met


def test_a_figure_without_a_target_has_no_verdict() -> None:
    assert Figure.of("x", [1.0], "s").met is None


def test_every_target_must_be_met() -> None:
    figure = Figure.latency("x", [0.001] * MANY, median=2, p99=0.5)

    assert figure.met is False


def test_few_samples_have_no_99th_percentile() -> None:
    assert Figure.of("x", range(MANY - 1), "s").p99 is None
    assert Figure.of("x", range(MANY), "s").p99 is not None
    assert Figure.of("x", [1.0], "s", targets={"p99": 2}).met is False


def test_the_worst_is_the_smallest_where_more_is_better() -> None:
    assert Figure.rate("x", [3.0, 1.0, 2.0]).worst == 1
    assert Figure.latency("x", [0.003, 0.001]).worst == 3


def test_a_ratio_compares_neighbours() -> None:
    figure = Figure.ratio("x", [10.0, 4.0, 9.0], [5.0, 4.0, 3.0], at_least=2)

    assert (figure.median, figure.worst, figure.met) == (2, 1, True)


def test_a_page_keeps_all_but_its_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    figures = [Figure.latency("kill | slow", [0.0015], median=1)]

    write(page, figures, 2.4)

    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\nMeasured in 2 s on: cpu ")
    assert text.endswith(f"{table(figures)}\n{END}\nafter\n")
    assert "1.50 ms" in text
    assert "**no**" in text
    assert "old" not in text


def test_the_columns_of_a_table_are_aligned() -> None:
    lines = table([Figure.rate("a", [1234.5]), Figure.latency("longer", [1.0])]).splitlines()

    assert len({len(each) for each in lines}) == 1
    assert "1,234 /s" in lines[2]
