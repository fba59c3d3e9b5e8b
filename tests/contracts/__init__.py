"""What every adapter of a port must keep: the fake in memory and the real thing alike.

A suite is a class whose tests ask for a fixture; a test module plugs an adapter in by giving that
fixture and deriving a class whose name begins with `Test`.
"""

import pytest

pytest.register_assert_rewrite("tests.contracts.sessions")
