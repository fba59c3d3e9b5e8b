"""Removing what has been silent, and forgetting what is old."""

from datetime import timedelta
from typing import Any

import pytest
from panel_session_monitor.application.sweep import RemoveSilent, RemoveStale, Sweep
from panel_session_monitor.domain.errors import InvalidField
from panel_session_monitor.domain.kill import KillState
from panel_session_monitor.domain.session import End, EndReason
from panel_session_monitor.domain.staleness import StalenessPolicy

from ...fakes.clock import NOON
from ...fakes.examples import MICROSECOND, a_kill, a_session, a_task, ago, seconds, session_id
from .world import World

LOOK_EVERY = 15


async def swept(world: World, sweep: Sweep, rounds: int, alive: Any = None) -> list[int]:
    """Let time pass in rounds of the sweep; return how many sessions each one removed."""
    removed = []
    for _ in range(rounds):
        world.clock.advance(LOOK_EVERY)
        if alive:
            await world.heartbeat(alive)
        removed.append(await sweep())
    return removed


async def test_what_was_silent_for_long_enough_is_removed(world: World) -> None:
    await world.holds(
        a_session(1, last_heartbeat=ago(600)),
        a_session(2, last_heartbeat=ago(600) + MICROSECOND),
        a_session(3, last_heartbeat=ago(9_999), task=a_task()),
        a_session(4, last_heartbeat=ago(9_999)).ended(ago(9_000)),
    )

    removed = await world.remove_silent(seconds(600))

    assert removed == 2
    assert await world.live() == [session_id(2)]
    assert (await world.stored(1)).end == End(at=NOON, reason=EndReason.EXPIRED)
    assert (await world.stored(4)).end == End(at=ago(9_000), reason=EndReason.CLOSED)


async def test_a_kill_expires_with_the_session_that_went_silent(world: World) -> None:
    await world.holds(a_session(last_heartbeat=ago(600), kill=a_kill(delivered_at=ago(700))))

    await world.remove_silent(seconds(600))

    kill = (await world.stored()).kill
    assert kill
    assert (kill.state, kill.expired_at) == (KillState.EXPIRED, NOON)


async def test_removing_again_finds_nothing(world: World) -> None:
    await world.holds(a_session(last_heartbeat=ago(600)))

    removed = [await world.remove_silent(seconds(600)) for _ in range(2)]

    assert removed == [1, 0]


async def test_a_session_that_falls_silent_is_swept_away_after_ten_minutes(world: World) -> None:
    await world.holds(a_session(1), a_session(2))

    removed = await swept(world, world.sweep(), 40, alive=session_id(2))

    assert removed == [0] * 39 + [1]
    assert await world.live() == [session_id(2)]


async def test_a_monitor_that_has_just_started_gives_nobody_up(world: World) -> None:
    await world.holds(a_session(last_heartbeat=ago(86_400)))

    removed = await swept(world, world.sweep(), 40)

    assert removed == [0] * 39 + [1]


async def test_a_monitor_that_slept_waits_for_the_whole_silence_again(world: World) -> None:
    await world.holds(a_session(1), a_session(2))
    sweep = world.sweep()
    await swept(world, sweep, 30, alive=session_id(1))
    world.clock.advance(3600)

    removed = [await sweep(), *await swept(world, sweep, 40, alive=session_id(1))]

    assert removed == [0] * 40 + [1]
    assert await world.live() == [session_id(1)]


async def test_a_monitor_whose_store_was_away_waits_for_the_whole_silence_again(
    world: World,
) -> None:
    await world.holds(a_session())
    sweep = world.sweep()
    await swept(world, sweep, 39, alive=session_id())
    world.sessions.failure = ConnectionError("the database is away")
    for _ in range(60):
        world.clock.advance(LOOK_EVERY)
        with pytest.raises(ConnectionError):
            await sweep()
    world.sessions.failure = None

    world.clock.advance(LOOK_EVERY)
    removed = await sweep()

    assert removed == 0
    assert await world.live() == [session_id()]


@pytest.mark.parametrize(
    ("age", "kept"), [(timedelta(days=30), True), (timedelta(days=30) + MICROSECOND, False)]
)
async def test_the_history_is_kept_for_its_time(world: World, age: timedelta, kept: bool) -> None:
    await world.holds(a_session().ended(NOON - age), a_session(2))

    await world.sweep(keep_history=timedelta(days=30))()

    assert (await world.sessions.find(session_id(1)) is not None) is kept
    assert await world.live() == [session_id(2)]


async def test_an_expired_session_stays_in_the_history(world: World) -> None:
    await world.holds(a_session(last_heartbeat=ago(86_400)))

    await swept(world, world.sweep(keep_history=timedelta(days=1)), 41)

    assert (await world.stored()).end == End(at=NOON + seconds(600), reason=EndReason.EXPIRED)


# Stale sessions, at an operator's word


@pytest.mark.parametrize(
    ("stale_after", "older_than", "field"),
    [(120, 119.9, "older_than"), (300, 299.9, "older_than"), (120, 120, None), (300, 300, None)],
)
async def test_only_what_is_stale_can_be_given_up(
    world: World, stale_after: float, older_than: float, field: str | None
) -> None:
    policy = StalenessPolicy(stale_after=seconds(stale_after))
    remove_silent = RemoveSilent(unit_of_work=world.sessions, clock=world.clock)
    remove_stale = RemoveStale(remove_silent=remove_silent, policy=policy)
    await world.holds(a_session(last_heartbeat=ago(older_than)))

    if field:
        with pytest.raises(InvalidField, match=field):
            await remove_stale(seconds(older_than))
    else:
        assert await remove_stale(seconds(older_than)) == 1


async def test_by_default_what_has_expired_is_given_up(world: World) -> None:
    remove_silent = RemoveSilent(unit_of_work=world.sessions, clock=world.clock)
    remove_stale = RemoveStale(remove_silent=remove_silent, policy=StalenessPolicy())
    await world.holds(a_session(1, last_heartbeat=ago(599)), a_session(2, last_heartbeat=ago(600)))

    assert await remove_stale() == 1
