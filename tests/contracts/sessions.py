"""The contract of the session store: UnitOfWork, SessionRepository and SessionReader.

@pytest.fixture
def storage() -> Storage: ...          # an empty store, plain or async fixture

class TestMySessions(SessionsContract): ...
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import anyio
import pytest
from anyio.lowlevel import checkpoint
from panel_session_monitor.application.ports import (
    Beat,
    LiveApp,
    LiveSession,
    SessionQuery,
    SessionReader,
    SessionRepository,
    UnitOfWork,
)
from panel_session_monitor.domain.event import MOST_EVENTS, EventKind
from panel_session_monitor.domain.ids import ProcessId, SessionId
from panel_session_monitor.domain.kill import Kill
from panel_session_monitor.domain.report import Figures, Notice, Order
from panel_session_monitor.domain.session import EndReason, Process, Session
from panel_session_monitor.domain.task import Task

from ..fakes.clock import NOON
from ..fakes.examples import (
    MICROSECOND,
    a_drain,
    a_kill,
    a_message,
    a_process,
    a_session,
    a_task,
    ago,
    an_event,
    session_id,
)

PRECISE = datetime(2030, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
MANY = 10_000

TEXTS = [
    "a",
    "x" * 200,
    "\U0001f9ea" * 200,
    "family \U0001f468\u200d\U0001f469\u200d\U0001f467 on board",
    'it\'s a "quoted" `name`; DROP TABLE sessions; --',
    "back\\slash, 100%, under_score, {braces}, $1, :name, ?",
    "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd \u202eright to left",
    "e\u0301 is not \u00e9, \u212b is not \u00c5",
    "\u65e5\u672c\u8a9e\u306e\u30a2\u30d7\u30ea",
    "null",
]

SNAPSHOTS: dict[str, dict[str, Any]] = {
    "nothing but what it needs": {},
    "user": {"user_id": "ada"},
    "process": {"process": a_process()},
    "process that only has an id": {
        "process": Process(process_id=ProcessId(UUID(int=7 << 64))),
    },
    "process with the greatest pid": {"process": a_process(pid=2**32 - 1)},
    "task with a name and progress": {"task": a_task()},
    "task at its beginning": {"task": a_task(progress=0.0)},
    "task at its end": {"task": a_task(progress=1.0)},
    "task at a third": {"task": a_task(progress=1 / 3)},
    "task without progress": {"task": a_task(progress=None)},
    "task without a name": {"task": Task(name=None, started_at=PRECISE)},
    "kill requested": {"kill": a_kill()},
    "kill with its texts": {"kill": a_kill(reason="r" * 500, requested_by="root")},
    "kill delivered": {"kill": a_kill(delivered_at=PRECISE)},
    "kill acknowledged": {
        "kill": a_kill(delivered_at=PRECISE, acknowledged_at=PRECISE + MICROSECOND)
    },
    "all at once": {
        "user_id": "ada",
        "process": a_process(),
        "task": a_task(),
        "kill": a_kill(reason="maintenance", delivered_at=PRECISE),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A store under test, empty at first."""

    unit_of_work: UnitOfWork
    reader: SessionReader

    async def save(self, *sessions: Session) -> None:
        """Store sessions in a transaction of their own."""
        async with self.unit_of_work() as repository:
            await repository.save(sessions)

    async def get(self, *session_ids: SessionId) -> dict[SessionId, Session]:
        """Read sessions in a transaction of their own."""
        async with self.unit_of_work() as repository:
            return await repository.get(session_ids)

    async def live(self, **criteria: Any) -> list[SessionId]:
        """Return the ids of the live sessions that match, as the reader has them."""
        query = SessionQuery(**criteria)
        page = await self.reader.page(query)
        pieces = [each async for piece in self.reader.pieces(query) for each in piece]
        assert query.limit is not None or pieces == page.sessions
        return [session.session_id for session in page.sessions]


def ended(session: Session, at: datetime = NOON, reason: EndReason | None = None) -> Session:
    """Return the session at its end."""
    return session.ended(at, reason)


async def beat(
    repository: SessionRepository,
    process: Process | None,
    session_ids: Iterable[SessionId],
    now: datetime,
) -> dict[SessionId, Kill | None]:
    """Store one heartbeat; return those sessions that it reached, each with its kill."""
    told = tuple(session_ids)
    [beaten] = await repository.beat([Beat(process=process, session_ids=told)], now)
    return {each: beaten.kills.get(each) for each in told if each not in beaten.absent}


def ids_of(sessions: Iterable[Session | LiveSession]) -> list[SessionId]:
    """Return the ids of sessions, in order."""
    return sorted(session.session_id for session in sessions)


def ids(*numbers: int) -> list[SessionId]:
    """Return the ids of the sessions with these numbers."""
    return [session_id(number) for number in numbers]


class SessionsContract:
    """What a session store promises."""

    # Keeping a session --------------------------------------------------------------------

    @pytest.mark.parametrize("fields", SNAPSHOTS.values(), ids=SNAPSHOTS)
    async def test_a_live_session_comes_back_as_it_was_saved(
        self, storage: Storage, fields: dict[str, Any]
    ) -> None:
        session = a_session(**fields)

        await storage.save(session)

        assert await storage.get(session.session_id) == {session.session_id: session}
        assert await storage.reader.find(session.session_id) == session
        assert (await storage.reader.page(SessionQuery())).sessions == [LiveSession.of(session)]

    @pytest.mark.parametrize("fields", SNAPSHOTS.values(), ids=SNAPSHOTS)
    @pytest.mark.parametrize("reason", EndReason)
    async def test_an_ended_session_comes_back_as_it_was_saved(
        self, storage: Storage, fields: dict[str, Any], reason: EndReason
    ) -> None:
        live = a_session(**fields)
        over = live.expired(PRECISE) if reason is EndReason.EXPIRED else live.ended(PRECISE, reason)

        await storage.save(over)

        assert await storage.get(over.session_id) == {over.session_id: over}
        assert await storage.reader.find(over.session_id) == over

    @pytest.mark.parametrize("text", TEXTS)
    async def test_texts_come_back_character_by_character(
        self, storage: Storage, text: str
    ) -> None:
        session = a_session(
            app_name=text,
            user_id=text,
            process=a_process(host=text),
            task=a_task(name=text),
            kill=a_kill(reason=text, requested_by=text),
        )

        await storage.save(session)

        assert await storage.reader.find(session.session_id) == session
        assert await storage.live(app_name=text, user_id=text) == [session.session_id]

    @pytest.mark.parametrize("microsecond", [0, 1, 123_456, 999_999])
    async def test_moments_come_back_in_utc_and_exact_to_the_microsecond(
        self, storage: Storage, microsecond: int
    ) -> None:
        moment = PRECISE.replace(microsecond=microsecond)
        session = a_session(
            started_at=moment, last_heartbeat=moment, task=a_task(started_at=moment)
        )

        await storage.save(session)

        found = await storage.reader.find(session.session_id)
        assert found
        assert found.task
        moments = [found.started_at, found.last_heartbeat, found.task.started_at]
        assert moments == [moment] * 3
        assert [each.utcoffset() for each in moments] == [timedelta(0)] * 3

    @pytest.mark.parametrize("year", [1970, 2000, 2100])
    async def test_a_start_long_ago_comes_back(self, storage: Storage, year: int) -> None:
        session = a_session(started_at=datetime(year, 1, 1, tzinfo=UTC))

        await storage.save(session)

        assert await storage.reader.find(session.session_id) == session

    async def test_the_last_snapshot_saved_is_the_one_that_counts(self, storage: Storage) -> None:
        session = a_session(user_id="ada", task=a_task(), kill=a_kill())
        await storage.save(session)
        later = replace(session, user_id=None, task=None, kill=a_kill(delivered_at=NOON))

        await storage.save(later)

        assert await storage.reader.find(session.session_id) == later
        assert (await storage.reader.page(SessionQuery())).total == 1

    async def test_saving_the_same_snapshot_twice_changes_nothing(self, storage: Storage) -> None:
        session = a_session(process=a_process(), kill=a_kill())
        await storage.save(session)

        await storage.save(session)

        assert (await storage.reader.page(SessionQuery())).sessions == [LiveSession.of(session)]

    async def test_saving_nothing_is_allowed(self, storage: Storage) -> None:
        await storage.save()

        assert await storage.live() == []

    async def test_live_and_ended_sessions_are_saved_together(self, storage: Storage) -> None:
        await storage.save(a_session(1), ended(a_session(2)), a_session(3))

        assert await storage.live() == ids(1, 3)
        assert list(await storage.get(session_id(2))) == ids(2)

    async def test_sessions_of_one_process_are_saved_together(self, storage: Storage) -> None:
        process = a_process()

        await storage.save(*(a_session(number, process=process) for number in (1, 2)))

        assert {each.process for each in (await storage.get(*ids(1, 2))).values()} == {process}

    # Ending a session ---------------------------------------------------------------------

    async def test_an_ended_session_leaves_the_live_list_and_is_still_found(
        self, storage: Storage
    ) -> None:
        session = a_session(process=a_process(), task=a_task(), kill=a_kill())
        await storage.save(session)
        over = ended(session, ago(-5))

        await storage.save(over)

        assert await storage.live() == []
        assert await storage.reader.find(session.session_id) == over
        async with storage.unit_of_work() as repository:
            assert await repository.live_of(session.app_name) == []
            assert await repository.silent_since(ago(-999)) == []

    async def test_an_end_that_is_saved_twice_is_one_end(self, storage: Storage) -> None:
        over = ended(a_session())
        await storage.save(over)

        await storage.save(over)

        assert await storage.reader.find(over.session_id) == over
        async with storage.unit_of_work() as repository:
            assert await repository.forget_ended(NOON + MICROSECOND) == 1

    async def test_a_session_may_end_without_ever_having_been_stored(
        self, storage: Storage
    ) -> None:
        over = ended(a_session(process=a_process()))

        await storage.save(over)

        assert await storage.live() == []
        assert await storage.reader.find(over.session_id) == over

    # Finding sessions ---------------------------------------------------------------------

    async def test_an_unknown_session_is_not_found(self, storage: Storage) -> None:
        await storage.save(a_session(1))

        assert await storage.reader.find(session_id(2)) is None
        assert await storage.get(session_id(2)) == {}

    async def test_known_sessions_are_told_from_unknown_ones(self, storage: Storage) -> None:
        await storage.save(a_session(1), ended(a_session(2)), a_session(3))

        found = await storage.get(*ids(1, 2, 9))

        assert sorted(found) == ids(1, 2)

    async def test_asking_for_no_session_gives_none(self, storage: Storage) -> None:
        await storage.save(a_session())

        assert await storage.get() == {}

    @pytest.mark.parametrize("other", ["Sales", "sales ", "sale", "sales2", "s%", "s_les"])
    async def test_the_live_sessions_of_an_app_are_those_of_exactly_this_name(
        self, storage: Storage, other: str
    ) -> None:
        await storage.save(a_session(1), a_session(2), ended(a_session(3)))
        await storage.save(a_session(4, app_name="other"))

        async with storage.unit_of_work() as repository:
            found = await repository.live_of("sales")
            near = await repository.live_of(other)

        assert ids_of(found) == ids(1, 2)
        assert near == []

    async def test_a_session_is_silent_since_the_moment_it_was_last_heard_of(
        self, storage: Storage
    ) -> None:
        await storage.save(
            a_session(1, last_heartbeat=NOON - MICROSECOND),
            a_session(2, last_heartbeat=NOON),
            a_session(3, last_heartbeat=NOON + MICROSECOND),
            ended(a_session(4, last_heartbeat=ago(999))),
        )

        async with storage.unit_of_work() as repository:
            silent = await repository.silent_since(NOON)

        assert ids_of(silent) == ids(1, 2)

    # Transactions -------------------------------------------------------------------------

    async def test_a_block_that_raises_leaves_everything_as_it_was(self, storage: Storage) -> None:
        before = a_session(1, process=a_process(1, host="old"))
        await storage.save(before, ended(a_session(2)))

        async def change_all_and_fail() -> None:
            async with storage.unit_of_work() as repository:
                await beat(repository, a_process(1, host="new"), ids(1), ago(-9))
                await repository.save([ended(before), a_session(3)])
                await repository.forget_ended(NOON + MICROSECOND)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await change_all_and_fail()

        assert await storage.live() == ids(1)
        assert await storage.reader.find(session_id(1)) == before
        assert await storage.reader.find(session_id(2))
        assert await storage.reader.find(session_id(3)) is None

    async def test_after_a_block_that_raised_the_next_one_works(self, storage: Storage) -> None:
        with pytest.raises(ZeroDivisionError):
            async with storage.unit_of_work():
                raise ZeroDivisionError

        await storage.save(a_session())

        assert await storage.live() == ids(1)

    async def test_a_transaction_sees_its_own_changes_and_a_reader_only_what_is_committed(
        self, storage: Storage
    ) -> None:
        async with storage.unit_of_work() as repository:
            await repository.save([a_session()])
            within = await repository.get(ids(1))
            outside = await storage.reader.find(session_id(1))

        assert list(within) == ids(1)
        assert outside is None
        assert await storage.reader.find(session_id(1))

    async def test_transactions_take_turns_so_that_no_change_is_lost(
        self, storage: Storage
    ) -> None:
        await storage.save(a_session())

        async def order(number: int) -> None:
            async with storage.unit_of_work() as repository:
                session = (await repository.get(ids(1)))[session_id(1)]
                await checkpoint()
                await repository.save([session.ordered(a_kill(number))])
                orders.append(session.kill)

        orders: list[Kill | None] = []
        async with anyio.create_task_group() as group:
            for number in range(1, 6):
                group.start_soon(order, number)

        stored = await storage.reader.find(session_id(1))
        assert stored
        assert stored.kill
        assert orders == [None] + [stored.kill] * 4

    # Heartbeats ---------------------------------------------------------------------------

    async def test_a_beat_reaches_the_live_sessions_of_the_process_and_those_of_none(
        self, storage: Storage
    ) -> None:
        mine, foreign, later = a_process(1), a_process(2), ago(-30)
        await storage.save(
            a_session(1, process=mine),
            a_session(2, process=foreign),
            a_session(3),
            ended(a_session(4, process=mine)),
            a_session(5, process=mine),
        )

        async with storage.unit_of_work() as repository:
            beating = await beat(repository, mine, ids(1, 2, 3, 4, 9), later)

        assert dict(beating) == dict.fromkeys(ids(1, 3))
        stored = await storage.get(*ids(1, 2, 3, 4, 5))
        heard = [each for each, session in stored.items() if session.last_heartbeat == later]
        assert sorted(heard) == ids(1, 3)

    async def test_a_beat_brings_the_kills_back(self, storage: Storage) -> None:
        process = a_process()
        kill = a_kill(reason="maintenance", requested_by="root", delivered_at=PRECISE)
        await storage.save(
            a_session(1, process=process, kill=kill),
            a_session(2, process=process),
            ended(a_session(3, process=process, kill=a_kill(3))),
        )

        async with storage.unit_of_work() as repository:
            beating = await beat(repository, process, ids(1, 2, 3), NOON)

        assert dict(beating) == {session_id(1): kill, session_id(2): None}

    async def test_a_beat_leaves_all_but_the_heartbeat_as_it_was(self, storage: Storage) -> None:
        session = a_session(user_id="ada", process=a_process(), task=a_task(), kill=a_kill())
        await storage.save(session)

        async with storage.unit_of_work() as repository:
            await beat(repository, a_process(), ids(1), PRECISE)

        assert await storage.reader.find(session_id(1)) == session.seen(PRECISE)

    async def test_a_beat_that_comes_late_does_not_take_the_heartbeat_back(
        self, storage: Storage
    ) -> None:
        await storage.save(a_session(last_heartbeat=NOON))

        async with storage.unit_of_work() as repository:
            beating = await beat(repository, a_process(), ids(1), ago(5))

        assert dict(beating) == dict.fromkeys(ids(1))
        assert await storage.reader.find(session_id(1)) == a_session(last_heartbeat=NOON)

    async def test_a_beat_tells_where_the_process_is(self, storage: Storage) -> None:
        bare = Process(process_id=a_process().process_id)
        await storage.save(a_session(process=bare))

        async with storage.unit_of_work() as repository:
            await beat(repository, a_process(host="node-b", pid=1234), ids(1), NOON)

        stored = await storage.reader.find(session_id(1))
        assert stored
        assert stored.process == a_process(host="node-b", pid=1234)

    async def test_what_a_beat_does_not_say_of_the_process_stays_known(
        self, storage: Storage
    ) -> None:
        await storage.save(a_session(process=a_process(host="node-b", pid=1234)))

        async with storage.unit_of_work() as repository:
            beating = await beat(
                repository, Process(process_id=a_process().process_id), ids(1), NOON
            )

        stored = await storage.reader.find(session_id(1))
        assert list(beating) == ids(1)
        assert stored
        assert stored.process == a_process(host="node-b", pid=1234)

    async def test_a_beat_of_a_process_that_is_not_known_yet_reaches_no_foreign_session(
        self, storage: Storage
    ) -> None:
        await storage.save(a_session(1, process=a_process(1)), a_session(2))

        async with storage.unit_of_work() as repository:
            beating = await beat(repository, a_process(99), ids(1, 2, 3), NOON)

        assert dict(beating) == dict.fromkeys(ids(2))

    async def test_a_process_may_beat_before_it_has_a_session(self, storage: Storage) -> None:
        async with storage.unit_of_work() as repository:
            beating = await beat(repository, a_process(), [], NOON)

        await storage.save(a_session(process=a_process()))
        assert dict(beating) == {}
        assert await storage.reader.find(session_id(1)) == a_session(process=a_process())

    async def test_a_session_that_is_named_twice_beats_once(self, storage: Storage) -> None:
        await storage.save(a_session())

        async with storage.unit_of_work() as repository:
            beating = await beat(repository, a_process(), ids(1, 1), NOON)

        assert dict(beating) == dict.fromkeys(ids(1))

    async def test_ten_thousand_sessions_are_saved_found_and_beat_at_once(
        self, storage: Storage
    ) -> None:
        process, numbers = a_process(), range(1, MANY + 1)
        await storage.save(*(a_session(number, process=process) for number in numbers))

        async with storage.unit_of_work() as repository:
            beating = await beat(repository, process, ids(*numbers), PRECISE)
            found = await repository.get(ids(*numbers))

        assert dict(beating) == dict.fromkeys(ids(*numbers))
        assert {each.last_heartbeat for each in found.values()} == {PRECISE}
        assert len(found) == MANY

    async def test_a_beat_for_the_same_sessions_as_the_last_time_reaches_all_of_them(
        self, storage: Storage
    ) -> None:
        process = a_process()
        await storage.save(*(a_session(number, process=process) for number in (1, 2)))

        for seconds in (10, 20, 30):
            async with storage.unit_of_work() as repository:
                await beat(repository, process, ids(1, 2), ago(-seconds))

        stored = await storage.get(*ids(1, 2))
        assert {each.last_heartbeat for each in stored.values()} == {ago(-30)}
        assert await storage.live(heard_after=ago(-29)) == ids(1, 2)
        assert await storage.live(heard_until=ago(-29)) == []

    async def test_a_session_that_its_process_no_longer_names_falls_silent(
        self, storage: Storage
    ) -> None:
        process = a_process()
        await storage.save(*(a_session(number, process=process) for number in (1, 2)))

        for seconds, named in ((10, ids(1, 2)), (20, ids(1, 2)), (30, ids(1)), (40, ids(1))):
            async with storage.unit_of_work() as repository:
                await beat(repository, process, named, ago(-seconds))

        stored = await storage.get(*ids(1, 2))
        assert [stored[each].last_heartbeat for each in ids(1, 2)] == [ago(-40), ago(-20)]
        async with storage.unit_of_work() as repository:
            assert ids_of(await repository.silent_since(ago(-20))) == ids(2)

    async def test_a_session_that_its_process_names_again_beats_again(
        self, storage: Storage
    ) -> None:
        process = a_process()
        await storage.save(*(a_session(number, process=process) for number in (1, 2)))

        for seconds, named in ((10, ids(1, 2)), (20, ids(1)), (30, ids(1, 2)), (40, ids(1, 2))):
            async with storage.unit_of_work() as repository:
                await beat(repository, process, named, ago(-seconds))

        stored = await storage.get(*ids(1, 2))
        assert {each.last_heartbeat for each in stored.values()} == {ago(-40)}

    @pytest.mark.parametrize("change", ["ended", "moved", "new"])
    async def test_a_beat_notices_that_the_sessions_have_changed_since_the_last_one(
        self, storage: Storage, change: str
    ) -> None:
        process = a_process(1)
        await storage.save(*(a_session(number, process=process) for number in (1, 2)))
        async with storage.unit_of_work() as repository:
            await beat(repository, process, ids(1, 2), ago(-10))
        changed = {
            "ended": ended(a_session(2, process=process)),
            "moved": a_session(2, process=a_process(2)),
            "new": a_session(3, process=process, last_heartbeat=NOON),
        }
        await storage.save(changed[change])

        async with storage.unit_of_work() as repository:
            reached = await beat(repository, process, ids(1, 2), ago(-20))

        assert sorted(reached) == (ids(1, 2) if change == "new" else ids(1))
        stored = await storage.get(*ids(1, 2, 3))
        heard = [each for each, session in stored.items() if session.last_heartbeat == ago(-20)]
        assert sorted(heard) == sorted(reached)

    async def test_what_a_session_does_leaves_it_with_its_process(self, storage: Storage) -> None:
        process = a_process()
        await storage.save(a_session(1, process=process))
        for seconds in (10, 20):
            async with storage.unit_of_work() as repository:
                await beat(repository, process, ids(1), ago(-seconds))
                session = (await repository.get(ids(1)))[session_id(1)]
                await repository.save([session.working("Load", ago(-seconds))])

        async with storage.unit_of_work() as repository:
            await beat(repository, process, ids(1), ago(-30))

        stored = await storage.reader.find(session_id(1))
        assert stored
        assert stored.last_heartbeat == ago(-30)
        assert stored.task

    async def test_news_without_a_beat_keeps_nobody_alive(self, storage: Storage) -> None:
        process = a_process()
        await storage.save(a_session(1, process=process))
        async with storage.unit_of_work() as repository:
            await beat(repository, process, ids(1), ago(-10))

        async with storage.unit_of_work() as repository:
            await beat(repository, process, [], ago(-20))

        stored = await storage.reader.find(session_id(1))
        assert stored
        assert stored.last_heartbeat == ago(-10)

    async def test_a_beat_says_whether_it_reached_all_sessions_of_its_process(
        self, storage: Storage
    ) -> None:
        process = a_process()
        await storage.save(*(a_session(number, process=process) for number in (1, 2)), a_session(3))

        async with storage.unit_of_work() as repository:
            named = [ids(1, 2), ids(1, 2), ids(1), ids(1, 2, 3), ids(1, 2, 9)]
            beats = [Beat(process=process, session_ids=tuple(each)) for each in named]
            beaten = await repository.beat([*beats, Beat(process=None, session_ids=())], NOON)

        assert [each.whole for each in beaten] == [True, True, False, False, True, False]

    async def test_sessions_of_any_process_beat_by_themselves(self, storage: Storage) -> None:
        kill = a_kill()
        await storage.save(
            a_session(1, process=a_process(1), kill=kill),
            a_session(2, process=a_process(2)),
            a_session(3),
            ended(a_session(4)),
        )

        async with storage.unit_of_work() as repository:
            one = Beat(process=None, session_ids=tuple(ids(1, 9)))
            other = Beat(process=None, session_ids=tuple(ids(2, 3, 4)))
            first, second = await repository.beat([one, other], ago(-10))

        assert (list(first.absent), list(second.absent)) == (ids(9), ids(4))
        assert (dict(first.kills), dict(second.kills)) == ({session_id(1): kill}, {})
        stored = await storage.get(*ids(1, 2, 3))
        assert {each.last_heartbeat for each in stored.values()} == {ago(-10)}

    async def test_beats_of_many_processes_are_stored_at_once(self, storage: Storage) -> None:
        await storage.save(*(a_session(each, process=a_process(each)) for each in range(1, 21)))
        beats = [
            Beat(process=a_process(each), session_ids=(session_id(each),)) for each in range(1, 21)
        ]

        async with storage.unit_of_work() as repository:
            beaten = await repository.beat(beats, ago(-10))

        assert all(each.whole and not each.absent for each in beaten)
        stored = await storage.get(*ids(*range(1, 21)))
        assert {each.last_heartbeat for each in stored.values()} == {ago(-10)}

    # Orders and processes -----------------------------------------------------------------

    async def test_orders_are_those_of_the_process_that_it_has_not_reported(
        self, storage: Storage
    ) -> None:
        mine = a_process(1)
        await storage.save(
            a_session(1, process=mine, kill=a_kill(12, reason="maintenance")),
            a_session(2, process=mine, kill=a_kill(11)),
            a_session(3, process=mine, kill=a_kill(13, delivered_at=PRECISE)),
            a_session(4, process=mine),
            a_session(5, process=a_process(2), kill=a_kill(14)),
            ended(a_session(6, process=mine, kill=a_kill(15))),
        )

        orders = await storage.reader.orders(mine.process_id)

        assert orders == [
            Order(session_id=session_id(2), kill_id=a_kill(11).kill_id),
            Order(session_id=session_id(1), kill_id=a_kill(12).kill_id, reason="maintenance"),
        ]

    # Messages ------------------------------------------------------------------------------

    async def test_a_message_is_on_its_way_until_it_is_shown(self, storage: Storage) -> None:
        process, message = a_process(), a_message(1, 1, sent_by="ada")
        await storage.save(a_session(1, process=process), a_session(2, process=a_process(2)))

        async with storage.unit_of_work() as repository:
            concerned = await repository.send([message, a_message(2, 2)])
        waiting = await storage.reader.orders(process.process_id)
        async with storage.unit_of_work() as repository:
            first = await repository.shown([message.message_id] * 2)
        async with storage.unit_of_work() as repository:
            again = await repository.shown([message.message_id])

        assert concerned == {process.process_id, a_process(2).process_id}
        assert waiting == [Notice.of(message)]
        assert (first, again) == ([message], [])
        assert await storage.reader.orders(process.process_id) == []

    async def test_messages_and_kills_come_in_the_order_of_their_ids(
        self, storage: Storage
    ) -> None:
        process = a_process()
        await storage.save(a_session(1, process=process, kill=a_kill(2)))

        async with storage.unit_of_work() as repository:
            await repository.send([a_message(3, 1), a_message(1, 1)])

        orders = await storage.reader.orders(process.process_id)
        numbers = [a_message(1, 1).message_id, a_kill(2).kill_id, a_message(3, 1).message_id]
        assert [each.id for each in orders] == numbers

    async def test_no_message_waits_for_a_session_that_has_ended(self, storage: Storage) -> None:
        process, live = a_process(), a_session(1, process=a_process())
        await storage.save(live)
        async with storage.unit_of_work() as repository:
            await repository.send([a_message(1, 1)])

        await storage.save(live.ended(NOON))

        async with storage.unit_of_work() as repository:
            (beaten,) = await repository.beat([Beat(process=process, session_ids=())], NOON)
            shown = await repository.shown([a_message(1, 1).message_id])
        assert (list(beaten.messages), shown) == ([], [])
        assert await storage.reader.orders(process.process_id) == []

    async def test_a_message_goes_with_its_session_to_another_process(
        self, storage: Storage
    ) -> None:
        await storage.save(a_session(1, process=a_process(1)))
        async with storage.unit_of_work() as repository:
            await repository.send([a_message(1, 1)])

        await storage.save(a_session(1, process=a_process(2)))

        notice = Notice.of(a_message(1, 1))
        assert await storage.reader.orders(a_process(1).process_id) == []
        assert await storage.reader.orders(a_process(2).process_id) == [notice]

    async def test_a_beat_brings_the_messages_of_its_process_and_all_drains(
        self, storage: Storage
    ) -> None:
        mine, other, newcomer = (a_process(number) for number in (1, 2, 3))
        await storage.save(a_session(1, process=mine), a_session(2, process=other))
        async with storage.unit_of_work() as repository:
            await repository.send([a_message(1, 1), a_message(2, 2)])
            await repository.drain(a_drain("stock"))

        beats = [
            Beat(process=mine, session_ids=tuple(ids(1))),
            Beat(process=other, session_ids=()),
            Beat(process=newcomer, session_ids=()),
            Beat(process=None, session_ids=tuple(ids(1))),
        ]
        beaten = []
        for each in beats:  # one by one: a newcomer is a reason to look by itself
            async with storage.unit_of_work() as repository:
                beaten += await repository.beat([each], ago(-10))

        assert [list(each.messages) for each in beaten] == [
            [a_message(1, 1)],
            [a_message(2, 2)],
            [],
            [],
        ]
        drains = [a_drain("stock")]
        assert [list(each.drains) for each in beaten] == [drains, drains, drains, []]

    # Drains --------------------------------------------------------------------------------

    async def test_an_app_has_one_drain_and_the_last_terms_stand(self, storage: Storage) -> None:
        full = a_drain("sales", kill_at=PRECISE, reason="r" * 500, requested_by="root")
        process = a_process()
        await storage.save(a_session(1, process=process), a_session(2), ended(a_session(3)))

        async with storage.unit_of_work() as repository:
            nobody = await repository.drain(a_drain("stock"))
            await repository.drain(a_drain("sales"))
            concerned = await repository.drain(full)
        stood = await storage.reader.drains()
        async with storage.unit_of_work() as repository:
            within = await repository.drains()
            left = await repository.undrain("sales")
            await repository.undrain("nobody's")

        assert (nobody, concerned, left) == (set(), {process.process_id}, {process.process_id})
        assert stood == within == [full, a_drain("stock")]
        assert await storage.reader.drains() == [a_drain("stock")]

    @pytest.mark.parametrize(
        ("kill_at", "overstaying"),
        [(None, []), (NOON - MICROSECOND, [1, 2]), (NOON, [1, 2]), (NOON + MICROSECOND, [])],
    )
    async def test_those_overstay_whose_drain_kills_by_now(
        self, storage: Storage, kill_at: datetime | None, overstaying: list[int]
    ) -> None:
        await storage.save(
            a_session(1),
            a_session(2, process=a_process()),
            a_session(3, kill=a_kill()),
            ended(a_session(4)),
            a_session(5, app_name="stock"),
        )

        async with storage.unit_of_work() as repository:
            await repository.drain(a_drain("sales", kill_at=kill_at))

        assert sorted(await storage.reader.overstaying(NOON)) == ids(*overstaying)

    async def test_the_live_of_no_app_are_those_of_all(self, storage: Storage) -> None:
        await storage.save(a_session(1), a_session(2, app_name="stock"), ended(a_session(3)))

        async with storage.unit_of_work() as repository:
            live = await repository.live_of(None)

        assert sorted(ids_of(live)) == ids(1, 2)

    # Events --------------------------------------------------------------------------------

    async def test_events_are_kept_in_the_order_in_which_they_were_noted(
        self, storage: Storage
    ) -> None:
        full = an_event(1, EventKind.MESSAGE_SENT, at=PRECISE, text="x" * 1000, by="ada")
        noted = [an_event(1), full, an_event(1, EventKind.CLOSED, at=ago(60))]

        async with storage.unit_of_work() as repository:
            await repository.note([noted[0], an_event(2)])
        async with storage.unit_of_work() as repository:
            await repository.note(noted[1:])

        assert await storage.reader.events(session_id(1)) == noted
        assert await storage.reader.events(session_id(2)) == [an_event(2)]
        assert await storage.reader.events(session_id(3)) == []

    async def test_of_too_many_events_the_oldest_of_tasks_go_first(self, storage: Storage) -> None:
        opened, started = (
            an_event(1),
            [
                an_event(1, EventKind.TASK_STARTED, text=f"Task {number}")
                for number in range(MOST_EVENTS)
            ],
        )
        said = [
            an_event(1, EventKind.MESSAGE_SENT, text=f"Message {number}")
            for number in range(MOST_EVENTS)
        ]

        async with storage.unit_of_work() as repository:
            await repository.note([opened, an_event(2), *started])
        tasks_went = await storage.reader.events(session_id(1))
        async with storage.unit_of_work() as repository:
            await repository.note(said)
        everything_went = await storage.reader.events(session_id(1))

        assert tasks_went == [opened, *started[1:]]
        assert everything_went == said
        assert await storage.reader.events(session_id(2)) == [an_event(2)]

    async def test_events_are_forgotten_with_their_session(self, storage: Storage) -> None:
        await storage.save(ended(a_session(1), ago(1)), ended(a_session(2), NOON), a_session(3))
        async with storage.unit_of_work() as repository:
            await repository.note([an_event(number) for number in (1, 2, 3)])

        async with storage.unit_of_work() as repository:
            await repository.forget_ended(NOON)

        kept = [await storage.reader.events(session_id(number)) for number in (1, 2, 3)]
        assert kept == [[], [an_event(2)], [an_event(3)]]

    # Apps ----------------------------------------------------------------------------------

    async def test_apps_are_counted_by_what_their_sessions_do(self, storage: Storage) -> None:
        working = a_task()
        await storage.save(
            a_session(1, user_id="ada"),
            a_session(2, user_id="ada", task=working),
            a_session(3, user_id="bob", task=working, last_heartbeat=ago(120)),
            a_session(4, process=a_process(), last_heartbeat=ago(120) + MICROSECOND),
            a_session(5, app_name="Über"),
            ended(a_session(6, app_name="gone")),
        )

        apps = await storage.reader.apps(ago(120))

        assert apps == [
            LiveApp(app_name="sales", sessions=4, idle=2, running=1, stale=1, users=2),
            LiveApp(app_name="Über", sessions=1, idle=1),
        ]

    async def test_a_session_is_as_fresh_as_the_beat_of_its_process(self, storage: Storage) -> None:
        process = a_process()
        await storage.save(a_session(1, process=process, last_heartbeat=ago(300)))

        async with storage.unit_of_work() as repository:
            await repository.beat([Beat(process=process, session_ids=tuple(ids(1)))], NOON)

        (app,) = await storage.reader.apps(ago(120))
        assert (app.idle, app.stale) == (1, 0)

    async def test_many_sessions_are_counted_and_searched_whole(self, storage: Storage) -> None:
        await storage.save(
            *(a_session(number, user_id=f"user {number}") for number in range(1, 5_502))
        )

        (app,) = await storage.reader.apps(ago(120))
        page = await storage.reader.page(
            SessionQuery(text="USER 55", limit=2, after=session_id(5_498))
        )

        assert (app.sessions, app.users) == (5_501, 5_501)
        assert ids_of(page.sessions) == ids(5_500, 5_501)
        assert (page.total, page.more) == (13, False)

    @pytest.mark.parametrize(
        ("text", "numbers"),
        [
            ("ales", [1, 2]),
            ("SALES", [1, 2]),
            ("ADA", [1]),
            ("loading", [2]),
            ("NODE-", [3]),
            ("ÜBER", [3]),
            ("strasse", [3]),
            ("a%", []),
            ("_", []),
            ("sales ada", []),
        ],
    )
    async def test_a_text_is_found_in_every_name_whatever_its_case(
        self, storage: Storage, text: str, numbers: list[int]
    ) -> None:
        await storage.save(
            a_session(1, user_id="Ada"),
            a_session(2, task=a_task(name="Loading data")),
            a_session(3, app_name="über", user_id="Straße", process=a_process()),
            a_session(4, app_name="x", task=a_task(name=None)),
        )

        assert await storage.live(text=text) == ids(*numbers)

    # Processes -----------------------------------------------------------------------------

    async def test_a_process_is_shown_with_what_it_tells_of_itself(self, storage: Storage) -> None:
        process = a_process(host="node-b", pid=17)
        figures = Figures(
            connected=True, rss_bytes=2**40, cpu_percent=12.5, loop_lag_seconds=0.25, version="1.2"
        )
        await storage.save(*(a_session(number, process=process) for number in (1, 2)))

        async with storage.unit_of_work() as repository:
            told = Beat(process=process, session_ids=tuple(ids(1, 2)), figures=figures)
            await repository.beat([told], ago(-10))

        [seen] = await storage.reader.processes(NOON)
        assert (seen.process, seen.figures, seen.sessions) == (process, figures, 2)
        assert (seen.started_at, seen.last_heartbeat) == (NOON, ago(-10))

    async def test_processes_are_shown_that_have_sessions_or_were_heard_of_lately(
        self, storage: Storage
    ) -> None:
        await storage.save(
            a_session(1, process=a_process(1, host="b"), last_heartbeat=ago(900)),
            ended(a_session(2, process=a_process(2), last_heartbeat=ago(900))),
        )
        async with storage.unit_of_work() as repository:
            await beat(repository, a_process(3, host="a"), ids(9), ago(60))

        seen = await storage.reader.processes(ago(600))

        assert [(each.process, each.sessions) for each in seen] == [
            (a_process(3, host="a"), 0),
            (a_process(1, host="b"), 1),
        ]

    # The history --------------------------------------------------------------------------

    async def test_only_what_ended_before_the_moment_is_forgotten(self, storage: Storage) -> None:
        await storage.save(
            ended(a_session(1), NOON - MICROSECOND),
            ended(a_session(2), NOON),
            ended(a_session(3), NOON + MICROSECOND),
            a_session(4, last_heartbeat=ago(999_999)),
        )

        async with storage.unit_of_work() as repository:
            forgotten = await repository.forget_ended(NOON)

        assert forgotten == 1
        assert sorted(await storage.get(*ids(1, 2, 3, 4))) == ids(2, 3, 4)

    async def test_forgetting_again_finds_nothing(self, storage: Storage) -> None:
        await storage.save(ended(a_session(process=a_process()), ago(1)))

        async with storage.unit_of_work() as repository:
            first = await repository.forget_ended(NOON)
            second = await repository.forget_ended(NOON)

        assert (first, second) == (1, 0)

    async def test_forgetting_leaves_the_process_of_a_live_session(self, storage: Storage) -> None:
        live = a_session(1, process=a_process(), last_heartbeat=ago(5))
        await storage.save(live, ended(a_session(2, process=a_process()), ago(5)))

        async with storage.unit_of_work() as repository:
            await repository.forget_ended(NOON)

        assert await storage.reader.find(session_id(1)) == live

    # Pages --------------------------------------------------------------------------------

    async def test_a_page_is_in_the_order_of_the_ids(self, storage: Storage) -> None:
        await storage.save(*(a_session(number) for number in (300, 2, 1, 255, 2**100)))

        page = await storage.reader.page(SessionQuery())

        assert ids_of(page.sessions) == ids(1, 2, 255, 300, 2**100)
        assert [each.session_id for each in page.sessions] == ids_of(page.sessions)
        assert (page.total, page.more) == (5, False)

    async def test_an_empty_store_gives_an_empty_page(self, storage: Storage) -> None:
        page = await storage.reader.page(SessionQuery(limit=10, after=session_id(1)))

        assert (page.sessions, page.total, page.more) == ([], 0, False)

    @pytest.mark.parametrize(
        ("limit", "after", "numbers", "more"),
        [
            (None, None, [1, 2, 3, 4, 5], False),
            (None, 2, [3, 4, 5], False),
            (1, None, [1], True),
            (4, None, [1, 2, 3, 4], True),
            (5, None, [1, 2, 3, 4, 5], False),
            (6, None, [1, 2, 3, 4, 5], False),
            (2, 2, [3, 4], True),
            (2, 3, [4, 5], False),
            (2, 4, [5], False),
            (2, 5, [], False),
            (2, 99, [], False),
        ],
    )
    async def test_a_page_says_whether_another_follows_and_how_many_there_are_in_all(
        self,
        storage: Storage,
        limit: int | None,
        after: int | None,
        numbers: list[int],
        more: bool,
    ) -> None:
        await storage.save(*(a_session(number) for number in (1, 2, 3, 4, 5)))

        page = await storage.reader.page(
            SessionQuery(limit=limit, after=None if after is None else session_id(after))
        )

        assert [each.session_id for each in page.sessions] == ids(*numbers)
        assert (page.total, page.more) == (5, more)

    async def test_a_page_may_start_after_a_session_that_is_gone(self, storage: Storage) -> None:
        await storage.save(a_session(1), ended(a_session(2)), a_session(3))

        page = await storage.reader.page(SessionQuery(limit=1, after=session_id(2)))

        assert [each.session_id for each in page.sessions] == ids(3)
        assert (page.total, page.more) == (2, False)

    @pytest.mark.parametrize(
        ("criteria", "numbers"),
        [
            ({"app_name": "sales"}, [1, 2, 5]),
            ({"app_name": "stock"}, [3, 4]),
            ({"app_name": "Sales"}, []),
            ({"app_name": "s%"}, []),
            ({"user_id": "ada"}, [1, 3]),
            ({"user_id": "nobody"}, []),
            ({"working": True}, [2, 3, 5]),
            ({"working": False}, [1, 4]),
            ({"heard_after": NOON}, [3]),
            ({"heard_after": NOON - MICROSECOND}, [2, 3]),
            ({"heard_until": NOON}, [1, 2, 4, 5]),
            ({"heard_until": NOON - MICROSECOND}, [1, 4, 5]),
            ({"heard_until": ago(120)}, [4, 5]),
            ({"heard_after": ago(120), "heard_until": NOON}, [1, 2]),
            ({"app_name": "sales", "user_id": "ada"}, [1]),
            ({"app_name": "sales", "working": True}, [2, 5]),
            ({"app_name": "sales", "working": True, "heard_after": ago(120)}, [2]),
            ({"app_name": "stock", "user_id": "ada", "working": False}, []),
            ({"app_name": "sales", "after": session_id(1)}, [2, 5]),
        ],
    )
    async def test_a_page_holds_just_the_sessions_that_meet_every_criterion(
        self, storage: Storage, criteria: dict[str, Any], numbers: list[int]
    ) -> None:
        loading, unnamed = a_task(progress=None), Task(name=None, started_at=NOON)
        await storage.save(
            a_session(1, user_id="ada", last_heartbeat=NOON - MICROSECOND),
            a_session(2, user_id="bob", last_heartbeat=NOON, task=loading),
            a_session(
                3,
                app_name="stock",
                user_id="ada",
                last_heartbeat=NOON + MICROSECOND,
                task=unnamed,
            ),
            a_session(4, app_name="stock", last_heartbeat=ago(120)),
            a_session(5, last_heartbeat=ago(120) - MICROSECOND, task=a_task()),
            ended(a_session(6, user_id="ada", last_heartbeat=NOON)),
        )

        assert await storage.live(**criteria) == ids(*numbers)

    async def test_the_total_counts_what_matches_whatever_the_page(self, storage: Storage) -> None:
        await storage.save(
            *(a_session(number) for number in (1, 2, 3)), a_session(4, app_name="stock")
        )

        page = await storage.reader.page(
            SessionQuery(app_name="sales", after=session_id(1), limit=1)
        )

        assert [each.session_id for each in page.sessions] == ids(2)
        assert (page.total, page.more) == (3, True)

    async def test_a_long_list_comes_in_pieces_that_leave_nobody_out(
        self, storage: Storage
    ) -> None:
        numbers = range(1, 5_502)
        await storage.save(*(a_session(number) for number in numbers))
        await storage.save(a_session(1_500, kill=a_kill()))
        seen: list[LiveSession] = []

        async for piece in storage.reader.pieces(SessionQuery(after=session_id(1))):
            seen += piece
            await storage.save(a_session(6_000), ended(a_session(5_501)))

        assert [each.session_id for each in seen] == ids(*numbers[1:-1], 6_000)
        assert [each.session_id for each in seen if each.kill] == ids(1_500)

    async def test_the_pages_together_are_the_whole_list(self, storage: Storage) -> None:
        numbers = range(1, 24)
        await storage.save(*(a_session(number) for number in numbers))
        seen: list[SessionId] = []

        more, after = True, None
        while more:
            page = await storage.reader.page(SessionQuery(limit=5, after=after))
            seen += [each.session_id for each in page.sessions]
            more, after = page.more, seen[-1]

        assert seen == ids(*numbers)
