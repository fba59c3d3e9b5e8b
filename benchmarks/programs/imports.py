"""Prints how long it takes to import the library after Panel, in seconds."""

import json
from time import perf_counter

import panel as pn  # noqa: F401  # an app has it anyway

began = perf_counter()
from panel_session_monitor import SessionClient  # noqa: E402, F401

print(json.dumps(perf_counter() - began))
