"""What the tests without I/O share."""

import gc
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture
def hurry() -> Iterator[None]:
    """Let threads take turns as often as they can, so that they meet everywhere.

    But for destructors, which the collector would run: what is raised there, Python only prints.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    gc.disable()
    yield
    gc.enable()
    sys.setswitchinterval(usual)
