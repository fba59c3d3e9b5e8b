"""Registering one session."""

from typing import Any

import pytest
from panel_session_monitor.domain.errors import (
    InvalidField,
    SessionEnded,
    SessionOfAnotherApp,
)

from ...fakes.examples import a_kill, a_process, a_session, a_task, ago, session_id
from ...fakes.ids import SequentialIds
from .world import World


async def test_a_new_session_is_stored(world: World) -> None:
    registered = await world.register(
        "sales", session_id=session_id(), user_id="ada", process=a_process(), age=90
    )

    expected = a_session(user_id="ada", process=a_process(), started_at=ago(90))
    assert registered.created
    assert registered.session == await world.stored() == expected


async def test_a_session_without_an_id_is_given_one(world: World) -> None:
    first, second = [await world.register("sales") for _ in range(2)]

    foretold = SequentialIds()
    assert [first.session.session_id, second.session.session_id] == [foretold.new(), foretold.new()]
    assert (first.created, second.created) == (True, True)


async def test_registering_again_is_a_heartbeat_and_changes_nothing_else(world: World) -> None:
    await world.register("sales", session_id=session_id(), user_id="ada")
    before = await world.stored()
    world.clock.advance(45)

    again = await world.register(" sales ", session_id=session_id(), user_id="bob", age=5)

    assert not again.created
    assert again.session == await world.stored() == before.seen(world.clock.now())


async def test_registering_again_keeps_task_and_kill(world: World) -> None:
    await world.holds(a_session(task=a_task(), kill=a_kill()))

    await world.register("sales", session_id=session_id())

    assert await world.stored() == a_session(task=a_task(), kill=a_kill())


async def test_an_id_of_another_app_is_refused(world: World) -> None:
    await world.holds(a_session(app_name="stock"))

    with pytest.raises(SessionOfAnotherApp):
        await world.register("sales", session_id=session_id())

    assert await world.stored() == a_session(app_name="stock")


async def test_an_id_that_has_ended_is_refused(world: World) -> None:
    await world.holds(a_session().ended(ago(1)))

    with pytest.raises(SessionEnded):
        await world.register("sales", session_id=session_id())

    assert await world.live() == []


async def test_a_known_session_may_come_under_another_process(world: World) -> None:
    await world.holds(a_session(process=a_process(1)))

    registered = await world.register("sales", session_id=session_id(), process=a_process(2))

    assert not registered.created
    assert (await world.stored()).process == a_process(2)


@pytest.mark.parametrize(
    ("stored", "told"),
    [(None, None), (None, a_process(1)), (a_process(1), None), (a_process(1), a_process(1))],
)
async def test_a_retry_may_leave_its_process_out(world: World, stored: Any, told: Any) -> None:
    await world.holds(a_session(process=stored))

    registered = await world.register("sales", session_id=session_id(), process=told)

    assert not registered.created


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("app_name", ""),
        ("app_name", "x" * 201),
        ("user_id", "a\0b"),
        ("age", -1.0),
        ("age", float("nan")),
    ],
)
async def test_what_breaks_a_rule_is_not_stored(world: World, field: str, value: Any) -> None:
    fields = {"app_name": "sales", field: value}

    with pytest.raises(InvalidField) as raised:
        await world.register(**fields)

    assert raised.value.field == field
    assert await world.live() == []
