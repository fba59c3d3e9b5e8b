"""The view's libraries as far as they have no types: what is called here needs no ignores there."""

import logging
from typing import Any

import panel as pn
import panel_material_ui
from tornado.websocket import WebSocketClosedError

pmui: Any = panel_material_ui


class Component(pn.custom.JSComponent):
    """A component with a browser side of its own."""

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)  # type: ignore[no-untyped-call]


class Grid(pn.pane.Perspective):
    """Perspective that sends new rows once."""

    def __init__(self, rows: dict[str, Any], **params: Any) -> None:
        super().__init__(rows, **params)  # type: ignore[no-untyped-call]

    def _update(self, ref: str, model: Any) -> None:
        """Do nothing: Panel has sent the rows by then, and would here send them again."""


def expect_partings() -> None:
    """Keep it out of the log when a page is closed while it is being written to.

    Bokeh does not await its writes, so that asyncio reports the error of each as never retrieved.
    """
    logging.getLogger("asyncio").addFilter(_no_parting)


def _no_parting(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], WebSocketClosedError))
