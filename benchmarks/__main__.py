"""Run every benchmark: print a table, write `artefacts/benchmarks.json`."""

import json
import platform
from pathlib import Path

from . import kill, page_load

ARTEFACTS = Path(__file__).parents[1] / "artefacts"


def main() -> None:
    rows = [*page_load.measure(), *kill.measure()]
    width = max(len(row.what) for row in rows)
    print(f"\n{'':{width}}  {'median':>10}  {'p99':>10}  {'runs':>5}")
    for row in rows:
        median, p99 = (f"{figure:.1f} {row.unit}" for figure in (row.median, row.p99))
        print(f"{row.what:{width}}  {median:>10}  {p99:>10}  {row.runs:>5}")
    ARTEFACTS.mkdir(exist_ok=True)
    result = {
        "machine": platform.platform(),
        "python": platform.python_version(),
        "figures": [row.as_dict() for row in rows],
    }
    (ARTEFACTS / "benchmarks.json").write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
