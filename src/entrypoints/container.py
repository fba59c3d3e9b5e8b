"""The composition root of the service: which adapter stands behind which port."""

from datetime import timedelta
from functools import partial
from random import uniform

from dependency_injector import containers, providers

from ..adapters.broadcast import LocalKillChannel, RingChangeFeed
from ..adapters.clock import SystemClock, TimeOrderedIds
from ..adapters.http.app import UseCases
from ..adapters.http.streams import ChangeStreams, OrderStreams
from ..adapters.storage.reader import SqlReader
from ..adapters.storage.sessions import SqlUnitOfWork
from ..adapters.storage.sqlite import SqliteDatabase
from ..application.announcing import AnnouncingUnitOfWork
from ..application.apps import ListApps
from ..application.drain import DrainApp, EnforceDrains, ListDrains, UndrainApp
from ..application.end import EndSession
from ..application.group import GroupCommit
from ..application.health import CheckReadiness
from ..application.heartbeat import RecordHeartbeat
from ..application.intake import RecordReports
from ..application.kill import RequestKill, RequestKillAll, RequestKillMany
from ..application.life import ListEvents
from ..application.listing import GetSession, ListSessions
from ..application.message import SendMessage
from ..application.orders_due import ListOrdersDue
from ..application.processes import ListProcesses
from ..application.recording import RecordingUnitOfWork
from ..application.register import RegisterSession
from ..application.report import RecordReport
from ..application.status import ReportStatus
from ..application.sweep import RemoveSilent, RemoveStale, Sweep
from ..domain.safeguard import Watch
from ..domain.staleness import StalenessPolicy
from .settings import Settings

KEEP_ALIVE_WITHIN = (10.0, 15.0)
"""When a silent event stream speaks, in seconds: streams opened together speak one by one."""


def seconds(number: float) -> timedelta:
    """Return a span of that many seconds."""
    return timedelta(seconds=number)


class Service(containers.DeclarativeContainer):
    """The API's side of the house. Tests override a leaf; nothing is opened before it is asked."""

    settings = providers.Singleton(Settings.load)
    clock = providers.Singleton(SystemClock)
    ids = providers.Singleton(TimeOrderedIds)

    database = providers.Singleton(SqliteDatabase, settings.provided.database_url)
    reader = providers.Singleton(SqlReader, database)
    feed = providers.Singleton(RingChangeFeed, ids.provided.new.call())
    kills = providers.Singleton(LocalKillChannel)
    keep_alive = providers.Object(partial(uniform, *KEEP_ALIVE_WITHIN))
    unit_of_work = providers.Singleton(
        AnnouncingUnitOfWork,
        unit_of_work=providers.Singleton(
            RecordingUnitOfWork,
            unit_of_work=providers.Singleton(SqlUnitOfWork, database),
            clock=clock,
        ),
        feed=feed,
        kills=kills,
    )

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
    enforce_drains = providers.Singleton(
        EnforceDrains, reader=reader, unit_of_work=unit_of_work, clock=clock, ids=ids
    )
    record = providers.Singleton(
        GroupCommit, providers.Singleton(RecordReports, unit_of_work=unit_of_work, clock=clock)
    )
    use_cases = providers.Singleton(
        UseCases,
        register=providers.Factory(RegisterSession, record=record, ids=ids),
        heartbeat=providers.Factory(RecordHeartbeat, record=record),
        doing=providers.Factory(ReportStatus, record=record, policy=policy),
        report=providers.Factory(
            RecordReport,
            record=record,
            heartbeat_interval=settings.provided.heartbeat_interval,
        ),
        end=providers.Factory(EndSession, record=record),
        kill=providers.Factory(
            RequestKill, unit_of_work=unit_of_work, clock=clock, policy=policy, ids=ids
        ),
        kill_many=providers.Factory(
            RequestKillMany, unit_of_work=unit_of_work, clock=clock, ids=ids
        ),
        kill_app=providers.Factory(RequestKillAll, unit_of_work=unit_of_work, clock=clock, ids=ids),
        send=providers.Factory(SendMessage, unit_of_work=unit_of_work, clock=clock, ids=ids),
        drain=providers.Factory(DrainApp, unit_of_work=unit_of_work, clock=clock, ids=ids),
        undrain=providers.Factory(UndrainApp, unit_of_work=unit_of_work),
        drains=providers.Factory(ListDrains, reader=reader),
        remove_stale=providers.Factory(RemoveStale, remove_silent=remove_silent, policy=policy),
        listing=providers.Factory(ListSessions, reader=reader, clock=clock, policy=policy),
        find=providers.Factory(GetSession, reader=reader, clock=clock, policy=policy),
        events=providers.Factory(ListEvents, reader=reader),
        app_list=providers.Factory(ListApps, reader=reader, clock=clock, policy=policy),
        processes=providers.Factory(ListProcesses, reader=reader, clock=clock, policy=policy),
        order_streams=providers.Factory(
            OrderStreams,
            due=providers.Factory(ListOrdersDue, reader=reader, clock=clock),
            kills=kills,
            keep_alive=keep_alive,
        ),
        change_streams=providers.Factory(
            ChangeStreams, feed=feed, clock=clock, policy=policy, keep_alive=keep_alive
        ),
        readiness=providers.Factory(CheckReadiness, needed=providers.List(reader)),
        heartbeat_interval=settings.provided.heartbeat_interval,
    )
