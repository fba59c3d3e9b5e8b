"""The composition root of the dashboard: made for the first viewer, kept for all of them."""

from dependency_injector import containers, providers

from ..adapters.clock import SystemClock
from ..adapters.dashboard import Dashboard
from ..adapters.gateway.operator import HttpOperator
from .settings import Settings


class View(containers.DeclarativeContainer):
    """The operators' side of the house."""

    settings = providers.Singleton(Settings.load)
    operator = providers.Singleton(
        HttpOperator, settings.provided.server_url, settings.provided.token
    )
    dashboard = providers.Singleton(
        Dashboard,
        operator=operator,
        clock=providers.Singleton(SystemClock),
        refresh_every=settings.provided.refresh_interval,
        operator_name="dashboard",
    )


view = View()
"""The one of this process; Panel runs the served script again for every viewer."""
