"""The view's libraries as far as they have no types: what is called here needs no ignores there."""

import logging
from typing import Any

import panel_material_ui
from tornado.websocket import WebSocketClosedError

pmui: Any = panel_material_ui


def expect_partings() -> None:
    """Keep it out of the log when a page is closed while it is being written to.

    Bokeh does not await its writes, so that asyncio reports the error of each as never retrieved.
    """
    logging.getLogger("asyncio").addFilter(_no_parting)


def _no_parting(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], WebSocketClosedError))
