"""Everything that apps tell the monitor: the reports of one moment, in one transaction."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..domain.drain import Drain
from ..domain.errors import MonitorError, SessionEnded, SessionNotFound
from ..domain.ids import MessageId, SessionId
from ..domain.kill import Kill
from ..domain.message import Message
from ..domain.report import News, Report, Shown, is_served_by, require_served_by
from ..domain.session import Session
from .ports import Beat, Beaten, Clock, UnitOfWork


@dataclass(slots=True, kw_only=True)
class Receipt:
    """What became of one report, as of the transaction that stored it.

    sessions   those that its news was about, as they now are
    created    those that it made known
    kills      the orders for sessions that it spoke for
    failures   what was not taken, in the order in which it was found
    messages   what is on its way to the pages of its process
    drains     all that stand, if it came from a process
    """

    at: datetime
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    created: set[SessionId] = field(default_factory=set)
    kills: dict[SessionId, Kill] = field(default_factory=dict)
    failures: list[tuple[SessionId, MonitorError]] = field(default_factory=list)
    messages: Sequence[Message] = ()
    drains: Sequence[Drain] = ()

    def require(self) -> None:
        """Raise the first failure, if there is one."""
        if self.failures:
            raise self.failures[0][1]


Record = Callable[[Report], Awaitable[Receipt]]
"""Stores one report and returns what became of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReports:
    """Take reports in one transaction, in their order.

    News that breaks a rule fails by itself; the rest of its report, and every other one, is taken.
    """

    unit_of_work: UnitOfWork
    clock: Clock

    async def __call__(self, reports: Sequence[Report]) -> list[Receipt]:
        """Store the reports and return what became of each."""
        now = self.clock.now()
        receipts = [Receipt(at=now) for _ in reports]
        every = list(zip(reports, receipts, strict=True))
        async with self.unit_of_work() as sessions:
            before = await sessions.get({each.session_id for each in _news(reports)})
            after = dict(before)
            shown = [key for each, receipt in every for key in _take_news(each, receipt, after)]
            await sessions.save(
                session for key, session in after.items() if session is not before.get(key)
            )
            if shown:
                await sessions.shown(shown)
            beaten = await sessions.beat([_beat(report) for report in reports], now)
            absent = {key for each in beaten for key in each.absent}
            known = await sessions.get(absent)
        for (report, receipt), each in zip(every, beaten, strict=True):
            _settle(report, receipt, after, each, known)
        return receipts


def _news(reports: Sequence[Report]) -> Iterator[News]:
    return (news for report in reports for news in report.news)


def _take_news(
    report: Report, receipt: Receipt, sessions: dict[SessionId, Session]
) -> Iterator[MessageId]:
    """Take the news of a report; give the messages that it says were shown."""
    for news in report.news:
        session_id = news.session_id
        session = sessions.get(session_id)
        try:
            require_served_by(session, report.process)
            sessions[session_id] = news.applied(session, receipt.at)
        except MonitorError as error:
            receipt.failures.append((session_id, error))
        else:
            if session is None:
                receipt.created.add(session_id)
            if isinstance(news, Shown):
                yield news.message_id


def _beat(report: Report) -> Beat:
    return Beat(process=report.process, session_ids=report.session_ids, figures=report.figures)


def _settle(
    report: Report,
    receipt: Receipt,
    sessions: Mapping[SessionId, Session],
    beaten: Beaten,
    known: Mapping[SessionId, Session],
) -> None:
    """Complete a receipt, now that all is stored."""
    for news in report.news:
        if session := sessions.get(news.session_id):
            receipt.sessions[session.session_id] = session
            if session.kill and not session.end and is_served_by(session, report.process):
                receipt.kills[session.session_id] = session.kill
    receipt.kills |= beaten.kills
    receipt.messages, receipt.drains = beaten.messages, beaten.drains
    for session_id in beaten.absent:
        session = known.get(session_id)
        over = session is not None and session.end is not None
        failure = SessionEnded(session_id) if over else SessionNotFound(session_id)
        receipt.failures.append((session_id, failure))
