"""The report of a whole process: heartbeats, and the news of all its sessions, at once."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..domain.errors import Gone, MonitorError, NotFound
from ..domain.ids import SessionId
from ..domain.kill import Kill
from ..domain.report import Order, Refusal, Reply, Report, is_served_by, require_served_by
from ..domain.session import Session
from .ports import Clock, UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReport:
    """Take all that a process has to tell in one transaction.

    News that breaks a rule is refused by itself, the rest of the report is taken. The reply
    repeats every kill until its session has ended, so that a lost push loses no order.
    """

    unit_of_work: UnitOfWork
    clock: Clock
    heartbeat_interval: float

    async def __call__(self, report: Report) -> Reply:
        """Store the report and answer with orders, and with ids that are unknown or ended."""
        now = self.clock.now()
        findings = _Findings()
        async with self.unit_of_work() as sessions:
            mentioned = {news.session_id for news in report.news}
            before = await sessions.get(mentioned)
            after = dict(before)
            for news in report.news:
                session_id = news.session_id
                with findings.about(session_id):
                    require_served_by(after.get(session_id), report.process)
                    after[session_id] = news.applied(after.get(session_id), now)
            await sessions.save(
                session for key, session in after.items() if session is not before.get(key)
            )
            beating = await sessions.beat(report.process, report.session_ids, now)
            absent = [each for each in report.session_ids if each not in beating]
            findings.missed(absent, await sessions.get(absent))
        return Reply(
            heartbeat_interval=self.heartbeat_interval,
            kill_requested=_orders(report, after.values(), beating),
            unknown=tuple(findings.unknown),
            ended=tuple(findings.ended),
            refused=tuple(findings.refused),
        )


@dataclass(slots=True)
class _Findings:
    """What did not fit, each id once and in the order it was found."""

    unknown: dict[SessionId, None] = field(default_factory=dict)
    ended: dict[SessionId, None] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)

    @contextmanager
    def about(self, session_id: SessionId) -> Iterator[None]:
        try:
            yield
        except NotFound:
            self.unknown[session_id] = None
        except Gone:
            self.ended[session_id] = None
        except MonitorError as error:
            self.refused.append(Refusal(session_id=session_id, detail=str(error)))

    def missed(self, absent: Collection[SessionId], known: Mapping[SessionId, Session]) -> None:
        """Sort the ids that did not beat: ended, or not known to be this process's."""
        for session_id in absent:
            session = known.get(session_id)
            (self.ended if session and session.end else self.unknown)[session_id] = None


def _orders(
    report: Report, mentioned: Iterable[Session], beating: Mapping[SessionId, Kill | None]
) -> tuple[Order, ...]:
    own = (each for each in mentioned if not each.end and is_served_by(each, report.process))
    kills = {session.session_id: session.kill for session in own}
    return tuple(
        Order(session_id=session_id, kill_id=kill.kill_id, reason=kill.reason)
        for session_id, kill in (kills | dict(beating)).items()
        if kill
    )
