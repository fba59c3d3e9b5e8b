"""Tasks on a line of time."""

from pathlib import Path
from typing import ClassVar

import param

from .component import LOOK, Component


class Timeline(Component):
    """Shows when which task was running; all moments are in milliseconds since the epoch."""

    bars = param.List(default=[], doc="triples of name, begin and end; no end: it is running")
    begin = param.Number(default=0.0)
    end = param.Number(default=None, allow_None=True, doc="None: it goes on")

    _esm = Path(__file__).with_suffix(".js")
    _stylesheets: ClassVar[list[str]] = [
        LOOK,
        """
        .chart { margin: 0; }
        figcaption { font-weight: 600; font-size: 16px; padding: 4px 0 8px; }
        .lanes { display: grid; gap: 5px 12px; align-items: center;
          grid-template-columns: minmax(80px, max-content) 1fr; }
        .name { max-width: 240px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
          unicode-bidi: plaintext; }
        .lane { position: relative; height: 18px; border-radius: 4px;
          background: rgba(128, 128, 128, 0.14); overflow: hidden; }
        .bar { position: absolute; top: 0; bottom: 0; border-radius: 3px; background: #5b8def; }
        .bar.now { background: var(--yellow); }
        .axis { display: flex; justify-content: space-between; color: var(--faint);
          font-size: 12.5px; font-variant-numeric: tabular-nums; }
        .empty { color: var(--faint); margin: 0; }
        @media (max-width: 600px) { .name { max-width: 110px; } }
        """,
    ]
