"""Draining an app, and ending what is left when its time has come."""

import pytest
from panel_session_monitor.application.drain import WHY
from panel_session_monitor.domain.drain import Drain
from panel_session_monitor.domain.errors import InvalidField
from panel_session_monitor.domain.report import Draining, Registration, Report

from ...fakes.clock import NOON
from ...fakes.examples import a_drain, a_kill, a_process, a_session, ago, seconds, session_id
from .world import World


async def test_a_drain_has_its_terms(world: World) -> None:
    drain = await world.drain(" sales ", kill_after=90, reason="Noon", requested_by="ada")

    expected = Drain(
        drain_id=drain.drain_id,
        app_name="sales",
        started_at=NOON,
        kill_at=NOON + seconds(90),
        reason="Noon",
        requested_by="ada",
    )
    assert drain == expected
    assert await world.sessions.drains() == [drain]


@pytest.mark.parametrize("kill_after", [-0.001, 3650 * 86_400 + 1, float("nan"), float("inf")])
async def test_a_bad_time_drains_nothing(world: World, kill_after: float) -> None:
    with pytest.raises(InvalidField) as raised:
        await world.drain("sales", kill_after=kill_after)

    assert raised.value.field == "kill_after"
    assert await world.sessions.drains() == []


async def test_a_drain_that_is_taken_back_is_over_and_without_one_nothing_happens(
    world: World,
) -> None:
    await world.drain("sales")
    stock = await world.drain("stock")

    for name in (" sales ", "sales", "nobody's"):
        await world.undrain(name)

    assert await world.sessions.drains() == [stock]


async def test_what_is_left_when_the_time_has_come_is_killed_once(world: World) -> None:
    first = a_kill(reason="first")
    await world.holds(
        a_session(1), a_session(2, kill=first), a_session(3, app_name="stock"), a_session(4)
    )
    await world.drain("sales", kill_after=90, reason="Noon", requested_by="ada")
    await world.drain("stock")

    world.clock.advance(89.999)
    early = await world.enforce_drains()
    world.clock.advance(0.001)
    then = await world.enforce_drains()
    again = await world.enforce_drains()

    assert (early, then, again) == (0, 2, 0)
    kills = [(await world.stored(number)).kill for number in (1, 2, 3, 4)]
    assert kills[1:3] == [first, None]
    for kill in (kills[0], kills[3]):
        assert kill
        assert (kill.reason, kill.requested_by) == ("Noon", "ada")
        assert kill.requested_at == NOON + seconds(90)


async def test_a_kill_has_a_reason_even_if_the_drain_has_none(world: World) -> None:
    await world.holds(a_session())
    await world.drain("sales", kill_after=0)

    await world.enforce_drains()

    kill = (await world.stored()).kill
    assert kill
    assert kill.reason == WHY


async def test_who_comes_later_is_killed_too_until_the_drain_is_taken_back(world: World) -> None:
    await world.drain("sales", kill_after=0)

    await world.holds(a_session(1))
    first = await world.enforce_drains()
    await world.undrain("sales")
    await world.holds(a_session(2))
    second = await world.enforce_drains()

    assert (first, second) == (1, 0)
    assert (await world.stored(2)).kill is None


async def test_a_process_is_told_of_all_drains_with_every_reply(world: World) -> None:
    process = a_process()
    async with world.sessions() as sessions:
        await sessions.drain(a_drain("sales", kill_at=NOON + seconds(90), reason="Noon"))
        await sessions.drain(a_drain("stock", kill_at=ago(1)))
    news = Registration(session_id=session_id(), app_name="sales", process=process)

    replies = [
        await world.report(each)
        for each in (Report(process=process, news=(news,)), Report(process=process))
    ]

    drain_id = a_drain().drain_id
    drains = (
        Draining(app_name="sales", drain_id=drain_id, seconds_left=90, reason="Noon"),
        Draining(app_name="stock", drain_id=drain_id, seconds_left=0),
    )
    assert [reply.drains for reply in replies] == [drains, drains]
