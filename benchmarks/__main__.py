"""Run the benchmarks, or those named: print a table, write `artefacts/benchmarks.json`."""

import argparse
import json
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any

from . import calls, dashboard, footprint, kills, listing, pages, streams, throughput
from .figures import Figure
from .table import machine, table, write

ARTEFACTS = Path(__file__).parents[1] / "artefacts"
GROUPS: tuple[ModuleType, ...] = (
    kills,
    throughput,
    listing,
    streams,
    pages,
    footprint,
    calls,
    dashboard,
)
"""Each has a `scene`, which is set once, and `CASES`: functions of it that yield figures.

It may have `LONG` ones beside them, which run where they are named.
"""

USUAL = [case.__name__ for group in GROUPS for case in group.CASES]
LONG = [case.__name__ for group in GROUPS for case in getattr(group, "LONG", ())]


def main() -> None:
    options = _options()
    began = monotonic()
    figures: list[Figure] = []
    try:
        figures.extend(_measured(options.names or USUAL))
    finally:
        seconds = monotonic() - began
        print(f"\n{table(figures)}\n\n{seconds:.0f} s")
    ARTEFACTS.mkdir(exist_ok=True)
    result = {
        "machine": machine(),
        "seconds": round(seconds),
        "figures": [figure.as_dict() for figure in figures],
    }
    (ARTEFACTS / "benchmarks.json").write_text(json.dumps(result, indent=2))
    if options.write:
        write(options.write, figures, seconds)


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"{', '.join(USUAL)}; default: all of these. Long: {', '.join(LONG)}",
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    options = parser.parse_args()
    if unknown := set(options.names) - {*USUAL, *LONG}:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    if options.write and options.names:
        parser.error("a page is given the whole table: leave out the names")
    return options


def _measured(names: Sequence[str]) -> Iterator[Figure]:
    """Yield the figures of the cases named; servers that cases share are started once."""
    _allow_many_connections()
    for group in GROUPS:
        known = (*group.CASES, *getattr(group, "LONG", ()))
        cases = [case for case in known if case.__name__ in names]
        if cases:
            with group.scene() as scene:
                for case in cases:
                    yield from _told(case, scene)


def _told(case: Any, scene: Any) -> Iterator[Figure]:
    began = monotonic()
    print(f"{case.__name__}: {case.__doc__}", end="", flush=True)
    yield from case(scene)
    print(f" {monotonic() - began:.0f} s")


def _allow_many_connections() -> None:
    """Raise the limit of open files to what the system allows; the programs started inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
