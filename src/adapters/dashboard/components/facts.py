"""Names and values, one pair a line."""

from pathlib import Path
from typing import ClassVar

import param

from .component import LOOK, Component


class Facts(Component):
    """Shows pairs of texts."""

    rows = param.List(default=[], doc="pairs of texts")

    _esm = Path(__file__).with_suffix(".js")
    _stylesheets: ClassVar[list[str]] = [
        LOOK,
        """
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 5px 18px; margin: 0;
          max-height: 40vh; overflow-y: auto; }
        dt { color: var(--faint); max-width: 220px; }
        dd { margin: 0; }
        dt, dd { overflow-wrap: anywhere; unicode-bidi: plaintext; text-align: left; }
        @media (max-width: 600px) { dt { max-width: 110px; } }
        """,
    ]
