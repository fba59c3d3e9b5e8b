"""The contract of `Operator`: what an operator sees and orders.

A test module gives the fixture `ward`, without sessions at first, and derives a class.
"""

from dataclasses import dataclass
from typing import Protocol

import pytest
from panel_session_monitor.application.operator_ports import Operator, OperatorError
from panel_session_monitor.domain.ids import SessionId
from panel_session_monitor.domain.kill import KillState
from panel_session_monitor.domain.staleness import Status

from ..fakes.examples import session_id


class Admit(Protocol):
    """Puts a live session before the operator."""

    async def __call__(
        self, number: int, *, app_name: str, user_id: str | None = None, task: str | None = None
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """An operator, and how sessions come before it."""

    operator: Operator
    admit: Admit

    async def seen(self, **criteria: object) -> list[SessionId]:
        """Return the ids of the sessions that the operator finds."""
        found = await self.operator.sessions(**criteria)  # type: ignore[arg-type]
        return sorted(each.session.session_id for each in found)


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
