"""The composition roots: every provider can be built."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dependency_injector import containers
from panel_session_monitor.entrypoints.container import Service
from panel_session_monitor.entrypoints.dashboard import View
from panel_session_monitor.entrypoints.settings import Settings


@pytest.fixture(params=[Service, View])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[containers.Container]:
    root = request.param()
    root.settings.override(Settings.load(database_url=f"sqlite:///{tmp_path}/built.sqlite3"))
    yield root
    root.reset_singletons()


def test_every_provider_can_be_built(root: containers.Container) -> None:
    for name, provider in root.providers.items():
        assert provider() is not None, name
