"""The way to the pages."""

from pathlib import Path
from typing import ClassVar

import param

from .component import LOOK, Component


class Nav(Component):
    """Links to the pages, and the zone of the times on them; sends the key of the one clicked."""

    pages = param.List(default=[], doc="pairs of key and label")
    page = param.String(default="", doc="the key of the page that is open")

    _esm = Path(__file__).with_suffix(".js")
    _stylesheets: ClassVar[list[str]] = [
        LOOK,
        """
        nav { display: flex; flex-wrap: wrap; align-items: center; gap: 2px;
          border-bottom: 1px solid var(--line); }
        a { padding: 9px 16px; color: var(--faint); text-decoration: none; font-weight: 500;
          border-bottom: 3px solid transparent; margin-bottom: -1px; }
        a:hover { color: var(--text); }
        a[aria-current] { color: var(--link); border-color: var(--link); }
        .zone { margin-left: auto; color: var(--faint); font-size: 12.5px; padding: 4px; }
        """,
    ]
