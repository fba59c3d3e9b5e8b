"""The figures as people read them: aligned columns, which are a Markdown table as well."""

import os
import platform
import re
import sqlite3
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from .figures import Figure

HEAD = ("measured", "median", "p99", "worst", "runs", "target", "met")
NUMBERS = range(1, 5)
"""Which columns hold numbers."""

VERDICTS = {None: "", True: "yes", False: "**no**"}
PARTS = ("litestar", "uvicorn", "SQLAlchemy", "panel", "fastapi")

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def table(figures: Sequence[Figure]) -> str:
    """Return the figures, one a row."""
    rows = [HEAD, *map(_row, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    rule = "|".join(
        "-" * (width + 1) + (":" if at in NUMBERS else "-") for at, width in enumerate(widths)
    )
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]])


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    return {
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    } | {name.lower(): version(name) for name in PARTS}


def write(page: Path, figures: Sequence[Figure], seconds: float) -> None:
    """Put the figures into a page, between the marks that it has for them."""
    parts = ", ".join(f"{name} {value}" for name, value in machine().items())
    told = f"Measured in {seconds:.0f} s on: {parts}."
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{told}\n\n{table(figures)}\n{END}{after}")


def _row(figure: Figure) -> tuple[str, ...]:
    return (
        figure.what,
        *(_shown(value, figure.unit) for value in (figure.median, figure.p99)),
        _shown(figure.worst if figure.runs > 1 else None, figure.unit),
        str(figure.runs),
        "; ".join(_targets(figure)),
        VERDICTS[figure.met],
    )


def _targets(figure: Figure) -> Iterator[str]:
    sign = "≥" if figure.more_is_better else "≤"
    for name, bound in figure.targets.items():
        of = f"{name} " if figure.runs > 1 else ""
        yield f"{of}{sign} {_shown(bound, figure.unit)}"


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = 0 if abs(value) >= 1000 or value == int(value) else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (
        each.rjust(width) if at in NUMBERS else each.ljust(width)
        for at, (each, width) in enumerate(zip(row, widths, strict=True))
    )
    return f"| {' | '.join(cells)} |"


def _cpu() -> str:
    try:
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor()
