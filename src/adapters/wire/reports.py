"""A process's report, as `POST /heartbeats` carries it, and the reply."""

from dataclasses import replace
from typing import Annotated, Self, TypeVar
from uuid import UUID

from msgspec import Meta, Struct, convert

from ...domain.ids import ProcessId, SessionId
from ...domain.kill import KillState
from ...domain.report import (
    Activity,
    Drains,
    Ending,
    Figures,
    KillStep,
    News,
    Notice,
    Order,
    Registration,
    Reply,
    Report,
    Shown,
)
from ...domain.session import EndReason, Process
from .sessions import Age, Pid, StatusBody

T = TypeVar("T")

Few = Meta(max_length=10_000)
"""Most items of one kind in one report."""


class RegistrationItem(Struct, kw_only=True, omit_defaults=True):
    """A session that the monitor does not know yet."""

    session_id: UUID
    app_name: str
    user_id: str | None = None
    age: Age = 0.0


class ActivityItem(StatusBody, kw_only=True, omit_defaults=True):
    """What a session has come to do."""

    session_id: UUID


class KillStepItem(Struct, kw_only=True):
    """How far a kill has come."""

    session_id: UUID
    kill_id: UUID
    state: KillState


class ShownItem(Struct, kw_only=True):
    """A message that was shown in a session's page."""

    session_id: UUID
    message_id: UUID


class EndingItem(Struct, kw_only=True, omit_defaults=True):
    """A session that is over."""

    session_id: UUID
    reason: EndReason | None = None


class FiguresBody(Struct, kw_only=True, omit_defaults=True):
    """How a process fares, as it measures itself."""

    connected: Annotated[bool, Meta(description="whether its order stream stands")] = False
    rss_bytes: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    cpu_percent: Annotated[float, Meta(ge=0, description="100 is one core")] | None = None
    loop_lag_seconds: Annotated[float, Meta(ge=0)] | None = None
    version: Annotated[str, Meta(max_length=40)] | None = None


class HeartbeatsBody(Struct, kw_only=True, omit_defaults=True):
    """Which sessions of a process are alive, and what has happened to them since it last told."""

    process_id: UUID
    session_ids: Annotated[list[UUID], Few]
    host: str | None = None
    pid: Pid | None = None
    registrations: Annotated[list[RegistrationItem], Few] = []
    activities: Annotated[list[ActivityItem], Few] = []
    kill_steps: Annotated[list[KillStepItem], Few] = []
    shown: Annotated[list[ShownItem], Few] = []
    endings: Annotated[list[EndingItem], Few] = []
    figures: FiguresBody | None = None

    @classmethod
    def of(cls, report: Report) -> Self:
        """Return a report as it travels."""
        process = report.process
        assert process, "only a process sends a report"
        body = cls(
            process_id=process.process_id,
            session_ids=list(report.session_ids),
            host=process.host,
            pid=process.pid,
            figures=_carried(report.figures, FiguresBody) if report.figures else None,
        )
        for news in report.news:
            match news:
                case Registration():
                    body.registrations.append(_carried(news, RegistrationItem))
                case Activity():
                    body.activities.append(_activity_item(news))
                case KillStep():
                    body.kill_steps.append(_carried(news, KillStepItem))
                case Shown():
                    body.shown.append(_carried(news, ShownItem))
                case Ending():
                    body.endings.append(_carried(news, EndingItem))
        return body

    def report(self) -> Report:
        """Return it as the domain knows it: registrations first, endings last."""
        process = Process(process_id=ProcessId(self.process_id), host=self.host, pid=self.pid)
        news: tuple[News, ...] = (
            *(
                replace(_carried(each, Registration), process=process)
                for each in self.registrations
            ),
            *(each.activity(each.session_id) for each in self.activities),
            *(_carried(each, KillStep) for each in self.kill_steps),
            *(_carried(each, Shown) for each in self.shown),
            *(_carried(each, Ending) for each in self.endings),
        )
        return Report(
            process=process,
            session_ids=tuple(map(SessionId, self.session_ids)),
            news=news,
            figures=_carried(self.figures, Figures) if self.figures else None,
        )


class OrderView(Struct, kw_only=True, omit_defaults=True):
    """A kill on its way to the process that serves the session."""

    session_id: UUID
    kill_id: UUID
    reason: str | None
    requested_by: str | None = None

    def order(self) -> Order:
        """Return it as the domain knows it."""
        return _carried(self, Order)


class NoticeView(Struct, kw_only=True):
    """A message on its way to the process that serves the session."""

    session_id: UUID
    message_id: UUID
    text: str
    sent_by: str | None

    def notice(self) -> Notice:
        """Return it as the domain knows it."""
        return _carried(self, Notice)


class DrainingView(Struct, kw_only=True):
    """An app is being drained; in `seconds_left` its sessions will be ended, if that is set."""

    app_name: str
    drain_id: UUID
    seconds_left: float | None
    reason: str | None
    requested_by: str | None


class DrainsView(Struct, kw_only=True):
    """All the drains that stand now."""

    drains: list[DrainingView]

    def told(self) -> Drains:
        """Return them as the domain knows them."""
        return _carried(self, Drains)


class RefusalView(Struct, kw_only=True):
    """News that was not taken, and why."""

    session_id: UUID
    detail: str


class HeartbeatsReply(Struct, kw_only=True):
    """Orders to obey, ids that are not known, ids that have ended, news that was refused.

    Also the messages that are to be shown, and all drains that stand.
    """

    kill_requested: list[OrderView]
    unknown: list[UUID]
    ended: list[UUID]
    refused: list[RefusalView] = []
    messages: list[NoticeView] = []
    drains: list[DrainingView] = []
    heartbeat_interval: Annotated[float, Meta(gt=0)] = 30.0

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """Return a reply as it travels."""
        return convert(reply, cls, from_attributes=True)

    def reply(self) -> Reply:
        """Return it as the domain knows it."""
        return _carried(self, Reply)


def _activity_item(activity: Activity) -> ActivityItem:
    return ActivityItem(
        session_id=activity.session_id,
        status="running" if activity.running else "idle",
        task=activity.task,
        progress=activity.progress,
        age=activity.age,
    )


def _carried(value: object, kind: type[T]) -> T:
    return convert(value, kind, from_attributes=True)
