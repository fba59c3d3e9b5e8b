"""Ordering the end of a session, or of a whole app."""

from typing import Any

import pytest
from panel_session_monitor.domain.errors import InvalidField, SessionEnded, SessionNotFound
from panel_session_monitor.domain.ids import KillId
from panel_session_monitor.domain.kill import Kill, KillState
from panel_session_monitor.domain.session import EndReason

from ...fakes.clock import NOON
from ...fakes.examples import a_kill, a_process, a_session, ago, session_id
from ...fakes.ids import SequentialIds
from .world import World

UNFIT_REASONS = ["", "  ", "x" * 501, "a\0b", "two\nlines", "\ud800"]


async def test_an_order_is_stored_with_who_gave_it_and_why(world: World) -> None:
    await world.holds(a_session(process=a_process()))

    seen = await world.kill(session_id(), reason=" maintenance ", requested_by="root")

    kill = Kill(
        kill_id=KillId(SequentialIds().new()),
        requested_at=NOON,
        reason="maintenance",
        requested_by="root",
    )
    assert seen.session.kill == kill
    assert seen.session == await world.stored() == a_session(process=a_process(), kill=kill)


async def test_an_order_needs_no_reason(world: World) -> None:
    await world.holds(a_session())

    seen = await world.kill(session_id())

    assert seen.session.kill
    assert (seen.session.kill.reason, seen.session.kill.requested_by) == (None, None)
    assert seen.session.kill.state is KillState.REQUESTED


async def test_the_same_order_is_given_back_when_it_is_asked_for_again(world: World) -> None:
    await world.holds(a_session())
    first = await world.kill(session_id(), reason="maintenance")
    world.clock.advance(5)

    second = await world.kill(session_id(), reason="really")

    assert second.session.kill == first.session.kill
    assert (await world.stored()).kill == first.session.kill


async def test_asking_again_does_not_undo_the_steps_taken(world: World) -> None:
    kill = a_kill(delivered_at=NOON, acknowledged_at=NOON)
    await world.holds(a_session(kill=kill))

    seen = await world.kill(session_id())

    assert seen.session.kill == kill


async def test_a_stale_session_can_be_killed(world: World) -> None:
    await world.holds(a_session(last_heartbeat=ago(599)))

    seen = await world.kill(session_id())

    assert seen.session.kill
    assert seen.seconds_since_heartbeat == 599


async def test_an_unknown_session_cannot_be_killed(world: World) -> None:
    with pytest.raises(SessionNotFound):
        await world.kill(session_id())


@pytest.mark.parametrize("reason", EndReason)
async def test_what_is_over_cannot_be_killed(world: World, reason: EndReason) -> None:
    over = a_session().ended(ago(1), reason)
    await world.holds(over)

    with pytest.raises(SessionEnded):
        await world.kill(session_id())

    assert await world.stored() == over


@pytest.mark.parametrize("reason", UNFIT_REASONS)
async def test_an_order_with_an_unfit_reason_is_not_given(world: World, reason: str) -> None:
    await world.holds(a_session())

    with pytest.raises(InvalidField) as raised:
        await world.kill(session_id(), reason=reason)

    assert raised.value.field == "reason"
    assert (await world.stored()).kill is None


# A whole app


async def test_all_live_sessions_of_an_app_are_ordered_to_end_and_no_other(world: World) -> None:
    await world.holds(
        a_session(1),
        a_session(2, last_heartbeat=ago(599)),
        a_session(3, app_name="stock"),
        a_session(4, app_name="Sales"),
        a_session(5).ended(ago(1)),
    )

    killed = await world.kill_all(" sales ", reason="maintenance", requested_by="root")

    assert sorted(killed.session_ids) == [session_id(1), session_id(2)]
    ordered = [number for number in range(1, 6) if (await world.stored(number)).kill]
    assert ordered == [1, 2]


async def test_every_session_gets_an_order_of_its_own(world: World) -> None:
    await world.holds(a_session(1), a_session(2))

    await world.kill_all("sales", reason="maintenance", requested_by="root")

    kills = [(await world.stored(number)).kill for number in (1, 2)]
    texts = {(kill.reason, kill.requested_by) for kill in kills if kill}
    assert texts == {("maintenance", "root")}
    assert len({kill.kill_id for kill in kills if kill}) == 2


async def test_an_order_given_before_stands(world: World) -> None:
    await world.holds(a_session(1, kill=a_kill(reason="first")), a_session(2))

    killed = await world.kill_all("sales", reason="second")

    assert sorted(killed.session_ids) == [session_id(1), session_id(2)]
    assert (await world.stored(1)).kill == a_kill(reason="first")


async def test_an_app_without_sessions_has_none_to_kill(world: World) -> None:
    await world.holds(a_session(app_name="stock"))

    killed = await world.kill_all("sales")

    assert killed.session_ids == ()


async def test_a_session_that_comes_afterwards_is_spared(world: World) -> None:
    await world.holds(a_session(1))
    await world.kill_all("sales")

    await world.register("sales", session_id=session_id(2))

    assert (await world.stored(2)).kill is None


@pytest.mark.parametrize("app_name", ["", " ", "x" * 201, "a\nb"])
async def test_an_app_must_have_a_name(world: World, app_name: str) -> None:
    with pytest.raises(InvalidField) as raised:
        await world.kill_all(app_name)

    assert raised.value.field == "app_name"


@pytest.mark.parametrize("sessions", [[], [a_session()]], ids=["no session", "one session"])
async def test_an_unfit_reason_is_refused_however_many_sessions_there_are(
    world: World, sessions: list[Any]
) -> None:
    await world.holds(*sessions)

    with pytest.raises(InvalidField) as raised:
        await world.kill_all("sales", reason="two\nlines")

    assert raised.value.field == "reason"


async def test_of_those_that_are_chosen_the_live_ones_are_killed(world: World) -> None:
    first = a_kill(reason="first")
    await world.holds(
        a_session(1), a_session(2).ended(ago(1)), a_session(3, kill=first), a_session(4)
    )

    reached = await world.kill_many([session_id(n) for n in (1, 2, 3, 9)], reason="Noon")

    assert sorted(reached.session_ids) == [session_id(1), session_id(3)]
    (one, ended, ordered, spared) = [await world.stored(number) for number in (1, 2, 3, 4)]
    assert one.kill
    assert one.kill.reason == "Noon"
    assert (ended.kill, ordered.kill, spared.kill) == (None, first, None)
