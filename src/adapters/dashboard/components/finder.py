"""What the table is searched with."""

from pathlib import Path
from typing import ClassVar

import param

from .component import LOOK, Component


class Finder(Component):
    """A search box, a picker of apps, and chips of the statuses with their counts."""

    text = param.String(default="", doc="what is searched for")
    statuses = param.List(default=[], doc="the chips that are pressed")
    app = param.String(default="", doc="the app that is picked; empty: all")
    apps = param.List(default=[], doc="pairs of app and number of sessions")
    counts = param.Dict(default={}, doc="number of matches by status")
    told = param.String(default="", doc="how many there are and how many are shown")

    _esm = Path(__file__).with_suffix(".js")
    _stylesheets: ClassVar[list[str]] = [
        LOOK,
        """
        .tools { display: flex; flex-wrap: wrap; align-items: center; gap: 8px;
          width: 100%; }
        input, select { height: 36px; box-sizing: border-box; padding: 0 12px; border-radius: 6px;
          border: 1px solid var(--line); background: var(--paper); color: var(--text); }
        .search { flex: 1 1 220px; max-width: 360px; min-width: 0; }
        select { max-width: 240px; }
        ::placeholder { color: var(--faint); opacity: 1; }
        .chip { display: inline-flex; align-items: center; gap: 6px; height: 34px;
          padding: 0 14px; border-radius: 17px; border: 1px solid var(--line); cursor: pointer;
          background: none; white-space: pre; }
        .chip b { font-variant-numeric: tabular-nums; font-weight: 650; }
        .chip:hover { border-color: var(--faint); }
        .chip[aria-pressed="true"] { background: rgba(26, 115, 232, 0.16); border-color: #1a73e8; }
        .told { color: var(--faint); padding: 0 6px; font-variant-numeric: tabular-nums; }
        """,
    ]
