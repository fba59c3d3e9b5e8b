"""What can be done on a page."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import param

from .component import LOOK, Component


class Tool(NamedTuple):
    """A button; the icon is one of those that the browser's side can draw."""

    key: str
    label: str
    icon: str = ""
    danger: bool = False
    disabled: bool = False


class Toolbar(Component):
    """A row of buttons that wraps where it is too long; `acts` says what each key does.

    A click on a button that is no longer offered does nothing.
    """

    tools = param.List(default=[], doc="the buttons, as lists of the fields of `Tool`")

    _esm = Path(__file__).with_suffix(".js")
    _stylesheets: ClassVar[list[str]] = [
        LOOK,
        """
        .row { display: flex; flex-wrap: wrap; gap: 4px; }
        button { display: inline-flex; align-items: center; gap: 7px; padding: 5px 9px;
          border: 1px solid transparent; border-radius: 6px; background: none; cursor: pointer;
          color: var(--link); font-size: 13.5px; font-weight: 500; }
        button:hover { background: color-mix(in srgb, currentColor 9%, transparent); }
        button.danger { color: var(--mui-palette-error-main, #c5221f);
          border-color: color-mix(in srgb, currentColor 50%, transparent); }
        button:disabled { opacity: 0.4; cursor: default; }
        svg { width: 18px; height: 18px; fill: none; stroke: currentColor; stroke-width: 2;
          stroke-linecap: round; stroke-linejoin: round; }
        """,
    ]

    def __init__(self, acts: Mapping[str, Callable[[], None]], **params: Any) -> None:
        params = {"sizing_mode": "stretch_width", "margin": (5, 0)} | params
        super().__init__(on_message=self._pressed, **params)
        self._acts = acts

    def offer(self, *tools: Tool | None) -> None:
        """Show these buttons and no others."""
        self.tools = [list(each) for each in tools if each]

    def _pressed(self, key: str) -> None:
        if any(key == each.key and not each.disabled for each in map(Tool._make, self.tools)):
            self._acts[key]()
