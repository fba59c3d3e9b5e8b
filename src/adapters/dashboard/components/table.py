"""The table of sessions, in the browser."""

from pathlib import Path
from typing import Any, ClassVar

import param
from panel.models.perspective import Perspective

from .component import Component

STYLE = """
:host, regular-table { font-family: Roboto, system-ui, "Segoe UI", "Noto Sans", sans-serif; }
regular-table { margin: 0; }
regular-table th, regular-table td { font-size: 13px; padding: 0 9px; height: 26px; }
regular-table thead th { font-weight: 600; }
regular-table td { max-width: 200px; overflow: hidden; text-overflow: ellipsis;
  unicode-bidi: plaintext; }
regular-table tbody th { max-width: 240px; overflow: hidden; text-overflow: ellipsis; }
regular-table tbody th.psp-tree-leaf { min-width: 150px; }
regular-table td.psp-null:after { content: ""; }
td.psm-status, td.psm-kill { text-align: center !important; font-weight: 600;
  border: 2px solid transparent !important; border-radius: 6px; background-clip: padding-box; }
td.psm-status { min-width: 82px; }
td.psm-idle { background-color: #188038 !important; color: #fff !important; }
td.psm-running { background-color: #fbc02d !important; color: #202124 !important; }
td.psm-stale { background-color: #c5221f !important; color: #fff !important; }
td.psm-span { color: inherit !important; text-align: right !important;
  font-variant-numeric: tabular-nums; }
td.psm-pick { cursor: pointer; text-align: center !important; font-size: 16px; }
td.psm-link { cursor: pointer; font-family: ui-monospace, monospace; text-decoration: underline;
  color: #1a56c4 !important; }
td.psm-kill { cursor: pointer; color: #c5221f !important; min-width: 56px;
  background-color: rgba(197, 34, 31, 0.1) !important; }
td.psm-kill:hover { background-color: #c5221f !important; color: #fff !important; }
td:focus-visible { outline: 2px solid #1a73e8; outline-offset: -2px; }
td.psm-late { color: #c5221f !important; font-weight: 600; }
:host-context([theme="Pro Dark"]) td.psm-link { color: #8ab4f8 !important; }
:host-context([theme="Pro Dark"]) td.psm-kill:not(:hover),
:host-context([theme="Pro Dark"]) td.psm-late { color: #f6aea9 !important; }
:host-context([theme="Pro Dark"]) td.psm-kill:not(:hover) {
  background-color: rgba(242, 139, 130, 0.16) !important; }
"""

THEMES = ("pro.css", "pro-dark.css")
"""The ones that are used, of Perspective's: a browser takes its time to read each."""


class Table(Component):
    """Perspective with rows that come and go one by one, by the id in the column `index`.

    Perspective colours text by column, not by value, so a painter styles the cells after each of
    its drawings. A click sends the id that the clicked cell shows: the row at the same place may
    be another one by then. It asks for its rows by the message `ready`.
    """

    columns = param.Dict(default={}, doc="types of the columns, in their order")
    kinds = param.Dict(default={}, doc="how the cells of a column are painted")
    aggregates = param.Dict(default={}, doc="what the row of a group shows")
    spans = param.List(default=[], doc="the columns that grow by themselves")
    index = param.String(doc="the column that tells rows apart")
    layout = param.String(default="", doc="how the viewer has arranged it")
    picked = param.List(default=[], doc="the ids of the rows that are selected")
    dark = param.Boolean(default=False)
    settings = param.Boolean(default=False, doc="whether Perspective's own panel is open")
    style = param.String(default=STYLE, constant=True)

    _esm = Path(__file__).with_suffix(".js")
    _stylesheets: ClassVar[list[str]] = [
        *(each for each in Perspective.__css__ if Path(each).name in THEMES),
        ".holder, perspective-viewer { width: 100%; height: 100%; }",
    ]

    def tell(
        self,
        *,
        rows: dict[str, list[Any]],
        heard: dict[str, list[Any]],
        gone: list[str],
        at: float,
        frozen: bool,
    ) -> None:
        """Put rows in, new or changed; of those `heard` a few columns alone; take others out."""
        self._send_msg({"rows": rows, "heard": heard, "gone": gone, "at": at, "frozen": frozen})
