"""The view's libraries as far as they have no types: what is called here needs no ignores there."""

import logging
from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui
from tornado.websocket import WebSocketClosedError

pmui: Any = panel_material_ui


def button(label: str, icon: str, act: Callable[[], object], *, danger: bool = False) -> Any:
    """Return a button that acts when it is pressed."""
    made = pmui.Button(
        label=label,
        icon=icon or None,
        color="error" if danger else "primary",
        variant="outlined" if danger else "text",
        size="small",
        margin=(0, 2),
    )
    made.on_click(lambda _: act())
    return made


def toolbar(*tools: Any) -> Any:
    """Return a row that wraps where it is too long."""
    flex: Any = pn.FlexBox
    return flex(*tools, sizing_mode="stretch_width", gap="4px")


def expect_partings() -> None:
    """Keep it out of the log when a page is closed while it is being written to.

    Bokeh does not await its writes, so that asyncio reports the error of each as never retrieved.
    """
    logging.getLogger("asyncio").addFilter(_no_parting)


def _no_parting(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], WebSocketClosedError))
