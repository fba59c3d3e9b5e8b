"""Heartbeat, status and end of one session that speaks for itself."""

from typing import Any

import pytest
from panel_session_monitor.domain.errors import InvalidField, SessionEnded, SessionNotFound
from panel_session_monitor.domain.report import Activity, Ending
from panel_session_monitor.domain.session import End, EndReason
from panel_session_monitor.domain.staleness import Status
from panel_session_monitor.domain.task import Task

from ...fakes.clock import NOON
from ...fakes.examples import a_kill, a_process, a_session, a_task, ago, session_id
from .world import World

# Heartbeats


@pytest.mark.parametrize("kill", [None, a_kill(), a_kill(delivered_at=NOON)])
async def test_a_heartbeat_is_stored_and_answered_with_the_kill(world: World, kill: Any) -> None:
    await world.holds(a_session(last_heartbeat=ago(300), kill=kill, process=a_process()))

    receipt = await world.heartbeat(session_id())

    assert receipt.kills.get(session_id()) == kill
    assert (await world.stored()).last_heartbeat == NOON == receipt.at


async def test_a_heartbeat_of_an_unknown_session_is_not_found(world: World) -> None:
    with pytest.raises(SessionNotFound):
        await world.heartbeat(session_id())


@pytest.mark.parametrize("reason", EndReason)
async def test_a_heartbeat_after_the_end_brings_nothing_back(
    world: World, reason: EndReason
) -> None:
    await world.holds(a_session().ended(ago(1), reason))

    with pytest.raises(SessionEnded):
        await world.heartbeat(session_id())

    assert await world.live() == []


# Status


async def test_a_status_is_stored_and_counts_as_a_heartbeat(world: World) -> None:
    await world.holds(a_session(last_heartbeat=ago(300)))

    seen = await world.status(
        Activity(session_id=session_id(), running=True, task="Loading", progress=0.5)
    )

    task = Task(name="Loading", started_at=NOON, progress=0.5)
    assert seen.session == await world.stored() == a_session(task=task)
    assert (seen.status, seen.task_seconds) == (Status.RUNNING, 0)


async def test_progress_of_the_same_task_keeps_its_start(world: World) -> None:
    await world.holds(a_session(task=a_task(started_at=ago(60))))

    seen = await world.status(
        Activity(session_id=session_id(), running=True, task="Loading data", progress=0.9)
    )

    assert seen.task_seconds == 60


async def test_an_idle_session_has_no_task(world: World) -> None:
    await world.holds(a_session(task=a_task()))

    seen = await world.status(Activity(session_id=session_id(), running=False))

    assert seen.status is Status.IDLE
    assert (await world.stored()).task is None


@pytest.mark.parametrize(
    ("field", "value"), [("progress", float("nan")), ("progress", 1.1), ("task", ""), ("age", -1)]
)
async def test_a_status_that_breaks_a_rule_changes_nothing(
    world: World, field: str, value: Any
) -> None:
    before = a_session(last_heartbeat=ago(300), task=a_task())
    await world.holds(before)
    activity = Activity(**{"session_id": session_id(), "running": True, field: value})

    with pytest.raises(InvalidField) as raised:
        await world.status(activity)

    assert raised.value.field == field
    assert await world.stored() == before


async def test_the_status_of_an_unknown_session_is_not_found(world: World) -> None:
    with pytest.raises(SessionNotFound):
        await world.status(Activity(session_id=session_id(), running=False))


@pytest.mark.parametrize("running", [True, False])
async def test_a_status_after_the_end_is_refused(world: World, running: bool) -> None:
    await world.holds(a_session().ended(ago(1)))

    with pytest.raises(SessionEnded):
        await world.status(Activity(session_id=session_id(), running=running))


# Ends


@pytest.mark.parametrize(
    ("kill", "told", "reason"),
    [
        (None, None, EndReason.CLOSED),
        (None, EndReason.CLOSED, EndReason.CLOSED),
        (None, EndReason.KILLED, EndReason.KILLED),
        (a_kill(), None, EndReason.KILLED),
        (a_kill(), EndReason.CLOSED, EndReason.CLOSED),
    ],
)
async def test_an_ended_session_leaves_the_live_list(
    world: World, kill: Any, told: EndReason | None, reason: EndReason
) -> None:
    await world.holds(a_session(kill=kill, task=a_task()))

    await world.end(Ending(session_id=session_id(), reason=told))

    assert await world.live() == []
    assert (await world.stored()).end == End(at=NOON, reason=reason)


async def test_ending_again_changes_nothing(world: World) -> None:
    await world.holds(a_session())
    await world.end(Ending(session_id=session_id()))
    before = await world.stored()
    world.clock.advance(60)

    await world.end(Ending(session_id=session_id(), reason=EndReason.KILLED))

    assert await world.stored() == before


async def test_what_was_never_known_cannot_end(world: World) -> None:
    with pytest.raises(SessionNotFound):
        await world.end(Ending(session_id=session_id()))


async def test_nobody_but_the_monitor_says_that_a_session_has_expired(world: World) -> None:
    await world.holds(a_session())

    with pytest.raises(InvalidField):
        await world.end(Ending(session_id=session_id(), reason=EndReason.EXPIRED))

    assert await world.live() == [session_id()]
