"""What every component of ours is made of."""

from collections.abc import Callable
from typing import Any

import panel as pn

Send = Callable[[Any], None]

LOOK = """
:host { --text: var(--mui-palette-text-primary, #222);
  --faint: var(--mui-palette-text-secondary, #5f6368);
  --line: var(--mui-palette-divider, rgba(128, 128, 128, 0.3));
  --paper: var(--mui-palette-background-paper, #fff);
  --link: var(--mui-palette-primary-main, #1f3a5f);
  --green: #188038; --yellow: #fbc02d; --red: #c5221f;
  font: 14px/1.45 Roboto, system-ui, "Segoe UI", "Noto Sans", sans-serif; color: var(--text); }
button, input, select { font: inherit; color: inherit; }
:focus-visible { outline: 2px solid #1a73e8; outline-offset: 2px; border-radius: 4px; }
.dot { display: inline-block; width: 10px; height: 10px; border-radius: 50%; flex: none; }
.idle .dot { background: var(--green); }
.running .dot { background: var(--yellow); }
.stale .dot { background: var(--red); }
.ended .dot { background: #80868b; }
"""
"""What all components have in common; they follow the theme of the page."""


class Component(pn.custom.JSComponent):
    """A component with a browser side of its own; `on_message` is given what that side sends.

    Names reach the page as text nodes, so none is ever markup.
    """

    def __init__(self, on_message: Send | None = None, **params: Any) -> None:
        super().__init__(**params)  # type: ignore[no-untyped-call]
        self._on_message = on_message

    def _handle_msg(self, data: Any) -> None:
        if self._on_message:
            self._on_message(data)
