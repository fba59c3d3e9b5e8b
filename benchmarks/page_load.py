"""What tracking adds to the load of a page, whatever state the monitor is in.

Every case is loaded in turn, round after round, beside the same app without the library.
"""

import socket
from contextlib import ExitStack
from time import perf_counter

import httpx

from tests.e2e.test_monitor_away import nonsense
from tests.support.processes import free_port

from .figures import Figure
from .stage import stage

ROUNDS = 60
WARM_UP = 5


def measure() -> list[Figure]:
    """Return how long a page takes to load, without the library and with it."""
    with stage() as on, ExitStack() as stack:
        hole = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        garbage = free_port()
        stack.enter_context(nonsense(garbage))
        monitors = {
            "monitor up": on.api(free_port()),
            "monitor stopped": f"http://127.0.0.1:{free_port()}",
            "monitor blackholed": f"http://127.0.0.1:{hole.getsockname()[1]}",
            "monitor talks nonsense": f"http://127.0.0.1:{garbage}",
        }
        pages = {"without the library": on.app(monitor=None)}
        pages |= {case: on.app(monitor=url) for case, url in monitors.items()}
        samples: dict[str, list[float]] = {case: [] for case in pages}
        with httpx.Client(timeout=60) as client:
            for turn in range(WARM_UP + ROUNDS):
                for case, page in pages.items():
                    began = perf_counter()
                    client.get(page).raise_for_status()
                    if turn >= WARM_UP:
                        samples[case].append(perf_counter() - began)
    return [Figure.of(f"page load, {case}", sample) for case, sample in samples.items()]
