"""One line across the page: an event with a close button, or a state that lasts."""

from pathlib import Path
from typing import Any, ClassVar

import param

from .component import LOOK, Component


class Strip(Component):
    """Shows a text; nothing while it is empty."""

    text = param.String(default="")
    kind: Any = param.Selector(default="info", objects=["info", "success", "warning", "error"])
    closable = param.Boolean(default=True)

    _esm = Path(__file__).with_suffix(".js")
    _stylesheets: ClassVar[list[str]] = [
        LOOK,
        """
        .line { display: flex; align-items: flex-start; gap: 12px; padding: 10px 14px;
          border-radius: 6px; border-left: 4px solid; overflow-wrap: anywhere; }
        .line span { flex: 1; unicode-bidi: plaintext; }
        .info { border-color: #1a73e8; background: rgba(26, 115, 232, 0.12); }
        .success { border-color: #188038; background: rgba(24, 128, 56, 0.14); }
        .warning { border-color: #fbc02d; background: rgba(251, 192, 45, 0.2); }
        .error { border-color: #c5221f; background: rgba(197, 34, 31, 0.13); }
        button { border: 0; background: none; font-size: 18px; line-height: 1; cursor: pointer;
          padding: 1px 4px; }
        button[hidden] { display: none; }
        """,
    ]

    def __init__(self, **params: Any) -> None:
        super().__init__(visible=False, sizing_mode="stretch_width", margin=(4, 0), **params)
        self.param.watch(lambda event: self.param.update(visible=bool(event.new)), "text")

    def say(self, text: str, kind: str = "info") -> None:
        """Show `text`."""
        self.param.update(text=text, kind=kind)
