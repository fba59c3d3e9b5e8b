"""The address of the page, and what the browser remembers."""

from pathlib import Path

import param

from .component import Component


class Address(Component):
    """Keeps `fields` in the page's address, and for the next visit.

    Sends other fields when the viewer goes back, and at first those remembered.
    """

    fields = param.Dict(default={}, doc="texts by name")
    names = param.List(default=[], doc="the fields that are ours")

    _esm = Path(__file__).with_suffix(".js")
