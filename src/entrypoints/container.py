"""The composition root of the service: which adapter stands behind which port."""

from datetime import timedelta

from dependency_injector import containers, providers

from ..adapters.clock import SystemClock, TimeOrderedIds
from ..adapters.http.app import UseCases
from ..adapters.storage.sessions import SqlReader, SqlUnitOfWork
from ..adapters.storage.sqlite import open_engine
from ..application.end import EndSession
from ..application.health import CheckReadiness
from ..application.heartbeat import RecordHeartbeat
from ..application.kill import RequestKill, RequestKillAll
from ..application.listing import GetSession, ListSessions
from ..application.register import RegisterSession
from ..application.report import RecordReport
from ..application.status import ReportStatus
from ..application.sweep import RemoveSilent, RemoveStale, Sweep
from ..domain.safeguard import Watch
from ..domain.staleness import StalenessPolicy
from .settings import Settings


def seconds(number: float) -> timedelta:
    """Return a span of that many seconds."""
    return timedelta(seconds=number)


class Service(containers.DeclarativeContainer):
    """The API's side of the house. Tests override a leaf; nothing is opened before it is asked."""

    settings = providers.Singleton(Settings.load)
    clock = providers.Singleton(SystemClock)
    ids = providers.Singleton(TimeOrderedIds)

    engine = providers.Singleton(open_engine, settings.provided.database_url)
    unit_of_work = providers.Singleton(SqlUnitOfWork, engine)
    reader = providers.Singleton(SqlReader, engine)

    policy = providers.Singleton(
        StalenessPolicy,
        stale_after=providers.Callable(seconds, settings.provided.stale_after),
        expire_after=providers.Callable(seconds, settings.provided.expire_after),
    )
    remove_silent = providers.Singleton(RemoveSilent, unit_of_work=unit_of_work, clock=clock)
    sweep = providers.Singleton(
        Sweep,
        remove_silent=remove_silent,
        unit_of_work=unit_of_work,
        clock=clock,
        policy=policy,
        keep_history=providers.Callable(timedelta, days=settings.provided.history_days),
        watch=providers.Factory(
            Watch.begin, clock.provided.now.call(), settings.provided.sweep_interval
        ),
    )
    use_cases = providers.Singleton(
        UseCases,
        register=providers.Factory(
            RegisterSession, unit_of_work=unit_of_work, clock=clock, ids=ids
        ),
        heartbeat=providers.Factory(
            RecordHeartbeat, unit_of_work=unit_of_work, clock=clock, policy=policy
        ),
        doing=providers.Factory(
            ReportStatus, unit_of_work=unit_of_work, clock=clock, policy=policy
        ),
        report=providers.Factory(
            RecordReport,
            unit_of_work=unit_of_work,
            clock=clock,
            heartbeat_interval=settings.provided.heartbeat_interval,
        ),
        end=providers.Factory(EndSession, unit_of_work=unit_of_work, clock=clock),
        kill=providers.Factory(
            RequestKill, unit_of_work=unit_of_work, clock=clock, policy=policy, ids=ids
        ),
        kill_app=providers.Factory(RequestKillAll, unit_of_work=unit_of_work, clock=clock, ids=ids),
        remove_stale=providers.Factory(RemoveStale, remove_silent=remove_silent, policy=policy),
        listing=providers.Factory(ListSessions, reader=reader, clock=clock, policy=policy),
        find=providers.Factory(GetSession, reader=reader, clock=clock, policy=policy),
        readiness=providers.Factory(CheckReadiness, needed=providers.List(reader)),
        heartbeat_interval=settings.provided.heartbeat_interval,
    )
