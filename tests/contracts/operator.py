"""The contract of `Operator`: what an operator sees and orders.

A test module gives the fixture `ward`, without sessions at first, and derives a class.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import inf, nan
from typing import Protocol

import pytest
from panel_session_monitor.application.operator_ports import ChangesMissed, Operator, OperatorError
from panel_session_monitor.application.ports import LiveApp
from panel_session_monitor.domain.change import Change, Changed, DrainChanged
from panel_session_monitor.domain.event import EventKind
from panel_session_monitor.domain.ids import SessionId
from panel_session_monitor.domain.kill import KillState
from panel_session_monitor.domain.session import EndReason, Session
from panel_session_monitor.domain.staleness import Status

from ..fakes.examples import a_process, session_id
from ..support.processes import PATIENCE


class Admit(Protocol):
    """Puts a live session before the operator."""

    async def __call__(
        self, number: int, *, app_name: str, user_id: str | None = None, task: str | None = None
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """An operator, and how sessions come before it and end by themselves."""

    operator: Operator
    admit: Admit
    leave: Callable[[int], Awaitable[None]]

    async def seen(self, **criteria: object) -> list[SessionId]:
        """Return the ids of the sessions that the operator finds."""
        found = await self.operator.sessions(**criteria)  # type: ignore[arg-type]
        return sorted(each.session.session_id for each in found)

    @asynccontextmanager
    async def following(self, position: str) -> AsyncIterator["Changes"]:
        """Follow the changes while the block lasts; the stream stands from the start."""
        async with aclosing(self.operator.changes(position)) as changes:  # type: ignore[type-var]
            following = Changes(changes)
            async with asyncio.timeout(PATIENCE):
                assert await anext(changes) is None
            yield following


@dataclass(frozen=True, slots=True)
class Changes:
    """A stream of changes; what it says is waited for so long and no longer."""

    stream: AsyncIterator[Change | None]

    async def next(self) -> Change:
        """Return the next change."""
        async with asyncio.timeout(PATIENCE):
            while (change := await anext(self.stream)) is None:
                pass
        return change

    async def session(self) -> Session:
        """Return the session that the next change is about."""
        change = await self.next()
        assert isinstance(change, Changed)
        return change.session


class OperatorContract:
    """What the server promises to an operator."""

    async def test_sessions_are_found_by_every_criterion(self, ward: Ward) -> None:
        await ward.admit(1, app_name="sales", user_id="ada")
        await ward.admit(2, app_name="sales", user_id="grace", task="Load")
        await ward.admit(3, app_name="stock/eu", user_id="ada")

        assert await ward.seen() == [session_id(1), session_id(2), session_id(3)]
        assert await ward.seen(app_name="sales") == [session_id(1), session_id(2)]
        assert await ward.seen(user_id="ada") == [session_id(1), session_id(3)]
        assert await ward.seen(status=Status.RUNNING) == [session_id(2)]
        assert await ward.seen(status=Status.IDLE, app_name="sales") == [session_id(1)]
        assert await ward.seen(status=Status.STALE) == []

    async def test_a_session_is_seen_with_what_it_does(self, ward: Ward) -> None:
        await ward.admit(1, app_name="sales", user_id="ada", task="Load")

        (seen,) = await ward.operator.sessions()

        assert (seen.session.app_name, seen.session.user_id) == ("sales", "ada")
        assert seen.session.task
        assert (seen.status, seen.session.task.name) == (Status.RUNNING, "Load")
        assert seen.seconds_since_heartbeat >= 0

    async def test_a_kill_is_ordered_once(self, ward: Ward) -> None:
        await ward.admit(1, app_name="sales")

        first = await ward.operator.kill(session_id(1), reason="Noon", requested_by="ada")
        again = await ward.operator.kill(session_id(1), reason="Later")

        assert first == again
        assert (first.state, first.reason) == (KillState.REQUESTED, "Noon")
        (seen,) = await ward.operator.sessions()
        assert seen.session.kill == first

    async def test_a_kill_of_nobody_is_told_in_a_line(self, ward: Ward) -> None:
        with pytest.raises(OperatorError) as told:
            await ward.operator.kill(session_id(9))

        assert str(session_id(9)) in str(told.value)
        assert "\n" not in str(told.value)

    @pytest.mark.parametrize("name", ["sales", "stock/eu", "100% über", "a?b#c"])
    async def test_all_sessions_of_an_app_are_killed(self, ward: Ward, name: str) -> None:
        await ward.admit(1, app_name=name)
        await ward.admit(2, app_name=name)
        await ward.admit(3, app_name="other")

        reached = await ward.operator.kill_all(name, reason="Noon")

        assert sorted(reached.session_ids) == [session_id(1), session_id(2)]
        killed = [each for each in await ward.operator.sessions() if each.session.kill]
        assert len(killed) == 2

    async def test_an_app_without_sessions_has_none_to_kill(self, ward: Ward) -> None:
        assert (await ward.operator.kill_all("nobody")).session_ids == ()

    async def test_several_sessions_are_killed_those_that_are_live(self, ward: Ward) -> None:
        for number in (1, 2, 3, 4):
            await ward.admit(number, app_name="sales")
        await ward.leave(2)
        first = await ward.operator.kill(session_id(4), reason="First")

        chosen = [session_id(number) for number in (1, 2, 4, 9)]
        reached = await ward.operator.kill_many(chosen, reason="Noon", requested_by="ada")

        assert sorted(reached.session_ids) == [session_id(1), session_id(4)]
        kills = {
            each.session.session_id: each.session.kill for each in await ward.operator.sessions()
        }
        killed = kills[session_id(1)]
        assert killed
        assert (killed.reason, killed.requested_by) == ("Noon", "ada")
        assert (kills[session_id(3)], kills[session_id(4)]) == (None, first)

    async def test_nobody_is_killed_where_nobody_is_chosen(self, ward: Ward) -> None:
        assert (await ward.operator.kill_many([])).session_ids == ()

    async def test_a_look_shows_who_is_live_and_the_changes_go_on_from_it(self, ward: Ward) -> None:
        await ward.admit(1, app_name="sales", user_id="ada")

        look = await ward.operator.look()
        await ward.admit(2, app_name="stock", task="Load")
        async with ward.following(look.position) as changes:
            second = [await changes.session()]
            while second[-1].task is None:
                second.append(await changes.session())
            await ward.operator.kill(session_id(1), reason="Noon")
            killed = await changes.session()
            await ward.leave(1)
            gone = await changes.session()

        assert [each.session.session_id for each in look.sessions] == [session_id(1)]
        assert look.sessions[0].at <= look.at
        assert {each.session_id for each in second} == {session_id(2)}
        assert second[-1].task
        assert second[-1].task.name == "Load"
        assert killed.kill
        assert (killed.user_id, killed.kill.reason) == ("ada", "Noon")
        assert gone.end
        assert gone.end.reason is EndReason.KILLED

    async def test_a_look_at_nobody_has_a_position_too(self, ward: Ward) -> None:
        look = await ward.operator.look()

        await ward.admit(1, app_name="sales")
        async with ward.following(look.position) as changes:
            came = await changes.session()

        assert look.sessions == []
        assert came.session_id == session_id(1)

    async def test_two_follow_the_same_changes(self, ward: Ward) -> None:
        position = (await ward.operator.look()).position

        async with ward.following(position) as one, ward.following(position) as other:
            await ward.admit(1, app_name="sales")

            assert await one.session() == await other.session()

    async def test_a_position_of_another_life_is_told(self, ward: Ward) -> None:
        await ward.admit(1, app_name="sales")

        async with ward.following("41-0") as changes:
            with pytest.raises(ChangesMissed):
                await changes.next()

    async def test_a_session_is_found_live_and_ended(self, ward: Ward) -> None:
        await ward.admit(1, app_name="sales", user_id="ada")

        live = await ward.operator.session(session_id(1))
        await ward.leave(1)
        ended = await ward.operator.session(session_id(1))

        assert (live.status, live.session.user_id) == (Status.IDLE, "ada")
        assert ended.session.end
        assert (ended.status, ended.session.end.reason) == (Status.ENDED, EndReason.CLOSED)

    async def test_a_session_of_nobody_is_told_in_a_line(self, ward: Ward) -> None:
        with pytest.raises(OperatorError, match=str(session_id(9))):
            await ward.operator.session(session_id(9))

    async def test_the_process_that_serves_is_shown(self, ward: Ward) -> None:
        await ward.admit(1, app_name="sales")

        seen = await ward.operator.processes()

        (serving,) = seen.processes
        assert (serving.process, serving.sessions) == (a_process(), 1)
        assert serving.last_heartbeat <= seen.at

    @pytest.mark.parametrize("name", ["sales", "stock/eu", "100% über"])
    async def test_an_app_is_drained_and_undrained(self, ward: Ward, name: str) -> None:
        before = await ward.operator.look()

        terms = {"kill_after": 3600.0, "reason": "Noon", "requested_by": "ada"}
        first = await ward.operator.drain(name)
        drain = await ward.operator.drain(name, **terms)  # type: ignore[arg-type]
        during = await ward.operator.look()
        await ward.operator.undrain(name)
        await ward.operator.undrain(name)
        after = await ward.operator.look()
        async with ward.following(before.position) as changes:
            told = [await changes.next() for _ in range(3)]

        assert (first.kill_at, first.reason) == (None, None)
        assert (drain.app_name, drain.reason, drain.requested_by) == (name, "Noon", "ada")
        assert drain.kill_at == drain.started_at + timedelta(hours=1)
        assert [list(look.drains) for look in (before, during, after)] == [[], [drain], []]
        assert told == [DrainChanged(app_name=name, drain=each) for each in (first, drain, None)]

    async def test_a_message_reaches_one_those_of_an_app_or_all(self, ward: Ward) -> None:
        await ward.admit(1, app_name="sales")
        await ward.admit(2, app_name="stock/eu")
        await ward.admit(3, app_name="sales")
        await ward.leave(3)

        send = ward.operator.send
        reached = [
            await send("Hello", session_id=session_id(1), sent_by="ada"),
            await send("Hello", app_name="stock/eu"),
            await send("Hello\nall"),
            await send("Hello", app_name="nobody"),
        ]

        numbers = [[1], [2], [1, 2], []]
        assert [sorted(each.session_ids) for each in reached] == [
            [session_id(number) for number in each] for each in numbers
        ]
        for number in (3, 9):
            with pytest.raises(OperatorError, match=str(session_id(number))):
                await send("Hello", session_id=session_id(number))

    async def test_a_sessions_life_is_told_in_order(self, ward: Ward) -> None:
        await ward.admit(1, app_name="sales", task="Load")
        await ward.operator.send("Hello", session_id=session_id(1), sent_by="ada")
        await ward.operator.kill(session_id(1), reason="Noon", requested_by="grace")
        await ward.leave(1)

        told = await ward.operator.events(session_id(1))

        process = a_process()
        assert [(each.kind, each.text, each.by) for each in told] == [
            (EventKind.OPENED, f"{process.host}:{process.pid}", None),
            (EventKind.TASK_STARTED, "Load", None),
            (EventKind.MESSAGE_SENT, "Hello", "ada"),
            (EventKind.KILL_REQUESTED, "Noon", "grace"),
            (EventKind.TASK_ENDED, "Load", None),
            (EventKind.KILLED, None, None),
        ]
        assert {each.session_id for each in told} == {session_id(1)}

    async def test_the_life_of_nobody_is_told_in_a_line(self, ward: Ward) -> None:
        with pytest.raises(OperatorError, match=str(session_id(9))):
            await ward.operator.events(session_id(9))

    @pytest.mark.parametrize("seconds", [-1.0, 1e30, inf, nan])
    async def test_a_drain_whose_time_is_none_is_refused(self, ward: Ward, seconds: float) -> None:
        with pytest.raises(OperatorError, match="kill_after"):
            await ward.operator.drain("sales", kill_after=seconds)

        assert list((await ward.operator.look()).drains) == []

    async def test_apps_are_shown_with_their_sessions_and_drains(self, ward: Ward) -> None:
        await ward.admit(1, app_name="sales", user_id="ada", task="Load")
        await ward.admit(2, app_name="sales", user_id="ada")
        drains = [await ward.operator.drain(name, reason="Noon") for name in ("sales", "empty")]

        apps = await ward.operator.apps()

        assert apps == [
            LiveApp(app_name="empty", drain=drains[1]),
            LiveApp(app_name="sales", sessions=2, idle=1, running=1, users=1, drain=drains[0]),
        ]
