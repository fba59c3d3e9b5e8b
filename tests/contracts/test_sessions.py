"""The session store in memory keeps the contract."""

import pytest

from ..fakes.sessions import InMemorySessions
from .sessions import SessionsContract, Storage


@pytest.fixture
def storage() -> Storage:
    sessions = InMemorySessions()
    return Storage(unit_of_work=sessions, reader=sessions)


class TestInMemorySessions(SessionsContract):
    """The fake."""
