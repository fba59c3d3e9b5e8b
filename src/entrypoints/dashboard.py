"""The composition root of the dashboard: made for the first viewer, kept for all of them."""

import random
from datetime import timedelta

from dependency_injector import containers, providers

from ..adapters.clock import SystemClock
from ..adapters.dashboard import Dashboard
from ..adapters.gateway.operator import HttpOperator
from ..domain.staleness import StalenessPolicy
from .settings import Settings


class View(containers.DeclarativeContainer):
    """The operators' side of the house."""

    settings = providers.Singleton(Settings.load)
    operator = providers.Singleton(
        HttpOperator, settings.provided.server_url, settings.provided.token
    )
    policy = providers.Singleton(
        StalenessPolicy,
        stale_after=providers.Factory(timedelta, seconds=settings.provided.stale_after),
        expire_after=providers.Factory(timedelta, seconds=settings.provided.expire_after),
    )
    dashboard = providers.Singleton(
        Dashboard,
        operator=operator,
        clock=providers.Singleton(SystemClock),
        random=providers.Object(random.random),
        policy=policy,
        operator_name="dashboard",
    )


view = View()
"""The one of this process; Panel runs the served script again for every viewer."""
