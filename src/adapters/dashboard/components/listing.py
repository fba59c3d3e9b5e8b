"""A list of things with columns, in plain HTML."""

from pathlib import Path
from typing import ClassVar

import param

from .component import LOOK, Component


class Listing(Component):
    """A table whose rows are told apart by a key; sends pairs of action and key, or `open` and id.

    Kinds of columns, and what their cells hold: text; number; time and since (milliseconds);
    size (bytes); percent (0 to 1); lag (seconds); mark (text and status); link (text and session
    id); actions (triples of action, label, and whether it is dangerous). None is shown as a dash.
    """

    label = param.String(default="", doc="what the list is of")
    columns = param.List(default=[], doc="pairs of title and kind")
    rows = param.List(default=[], doc="for each row its key and its cells")
    empty = param.String(default="", doc="what is said while there are no rows")
    ahead = param.Number(default=0, doc="milliseconds by which the server's clock is ahead")

    _esm = Path(__file__).with_suffix(".js")
    _stylesheets: ClassVar[list[str]] = [
        LOOK,
        """
        .frame { overflow-x: auto; max-width: 100%; }
        table { border-collapse: collapse; width: 100%; }
        caption { text-align: left; font-weight: 600; font-size: 16px; padding: 8px 10px; }
        th, td { padding: 8px 12px; text-align: left; border-bottom: 1px solid var(--line);
          vertical-align: middle; }
        th { color: var(--faint); font-weight: 500; font-size: 13px; white-space: nowrap; }
        td { overflow-wrap: anywhere; unicode-bidi: plaintext; max-width: 420px; min-width: 64px; }
        td:first-child { min-width: 110px; }
        .number, .size, .percent, .lag, .since { text-align: right; white-space: nowrap;
          font-variant-numeric: tabular-nums; }
        td.time, td.actions { white-space: nowrap; font-variant-numeric: tabular-nums; }
        td.actions { text-align: right; }
        span.mark { display: inline-flex; align-items: center; gap: 7px; white-space: nowrap; }
        .overdue { color: var(--red); font-weight: 600; }
        .overdue .dot { background: var(--red); }
        .done .dot { background: var(--green); }
        .waiting .dot { background: var(--yellow); }
        a { color: var(--link); }
        button { border: 1px solid var(--line); background: none; border-radius: 6px;
          padding: 5px 12px; margin-left: 6px; cursor: pointer; }
        button:hover { border-color: var(--faint); }
        button.danger { color: var(--mui-palette-error-main, #c5221f);
          border-color: currentColor; }
        .empty { color: var(--faint); padding: 24px 12px; margin: 0; max-width: 640px; }
        [hidden] { display: none; }
        """,
    ]
