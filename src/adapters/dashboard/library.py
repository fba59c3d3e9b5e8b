"""The view's libraries as far as they have no types: what is called here needs no ignores there."""

import logging
from typing import Any

import panel_material_ui
from panel.util.parameters import edit_readonly
from tornado.websocket import WebSocketClosedError

pmui: Any = panel_material_ui


def whole_page(**content: Any) -> Any:
    """Return a page that goes with its viewer; it never says that it is busy.

    What would say so is tied to Panel's state, which thereby keeps every page for good.
    """
    page = pmui.Page(**content)
    with edit_readonly(page):
        page.busy = page.param.contextbar_open  # one of its own, and never set
    return page


def expect_partings() -> None:
    """Keep it out of the log when a page is closed while it is being written to.

    Bokeh does not await its writes, so that asyncio reports the error of each as never retrieved.
    """
    logging.getLogger("asyncio").addFilter(_no_parting)


def _no_parting(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], WebSocketClosedError))
