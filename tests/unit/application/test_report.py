"""The report of a whole process."""

from typing import Any

import pytest
from panel_session_monitor.domain.kill import KillState
from panel_session_monitor.domain.report import (
    Activity,
    Ending,
    KillStep,
    News,
    Order,
    Registration,
    Report,
)
from panel_session_monitor.domain.session import EndReason
from panel_session_monitor.domain.task import Task

from ...fakes.clock import NOON
from ...fakes.examples import a_kill, a_process, a_session, a_task, ago, session_id
from .world import World

MINE, FOREIGN = a_process(1), a_process(2)


def a_report(*news: News, beats: tuple[int, ...] = (), **fields: Any) -> Report:
    """Return a report of my process."""
    beating = tuple(map(session_id, beats))
    return Report(**{"process": MINE, "session_ids": beating, "news": news, **fields})


def registration(number: int = 1, **fields: Any) -> Registration:
    """Return the news that a session of my process exists."""
    values = {"session_id": session_id(number), "app_name": "sales", "process": MINE, **fields}
    return Registration(**values)


def running(number: int = 1, task: str = "Loading", **fields: Any) -> Activity:
    """Return the news that a session works."""
    return Activity(session_id=session_id(number), running=True, task=task, **fields)


def step(number: int, state: KillState) -> KillStep:
    """Return the news that the kill with the session's number has come further."""
    return KillStep(session_id=session_id(number), kill_id=a_kill(number).kill_id, state=state)


def order(number: int, reason: str | None = None) -> Order:
    """Return the order that ends a session by the kill with its number."""
    return Order(session_id=session_id(number), kill_id=a_kill(number).kill_id, reason=reason)


async def test_an_empty_report_is_answered(world: World) -> None:
    reply = await world.report(a_report())

    assert reply.heartbeat_interval == 30.0
    assert (reply.kill_requested, reply.unknown, reply.ended, reply.refused) == ((), (), (), ())


async def test_heartbeats_are_stored(world: World) -> None:
    await world.holds(*(a_session(number, process=MINE) for number in (1, 2, 3)))
    world.clock.advance(30)

    reply = await world.report(a_report(beats=(1, 3)))

    heard = [(await world.stored(number)).last_heartbeat for number in (1, 2, 3)]
    assert heard == [ago(-30), NOON, ago(-30)]
    assert (reply.unknown, reply.ended) == ((), ())


async def test_all_that_happened_to_a_session_is_taken_in_its_order(world: World) -> None:
    reply = await world.report(
        a_report(registration(user_id="ada", age=90.0), running(age=7.0, progress=0.5), beats=(1,))
    )

    assert await world.stored() == a_session(
        user_id="ada",
        process=MINE,
        started_at=ago(90),
        task=Task(name="Loading", started_at=ago(7), progress=0.5),
    )
    assert (reply.unknown, reply.ended, reply.refused) == ((), (), ())


async def test_a_session_may_come_and_go_within_one_report(world: World) -> None:
    await world.report(a_report(registration(), running(), Ending(session_id=session_id())))

    over = await world.stored()
    assert over.end
    assert over.end.reason is EndReason.CLOSED
    assert await world.live() == []


async def test_the_same_report_again_is_harmless(world: World) -> None:
    report = a_report(registration(), running(age=7.0), beats=(1,))
    await world.report(report)
    before = await world.stored()

    reply = await world.report(report)

    assert await world.stored() == before
    assert (reply.unknown, reply.ended, reply.refused) == ((), (), ())


async def test_an_end_told_again_is_harmless(world: World) -> None:
    await world.holds(a_session(process=MINE))
    report = a_report(Ending(session_id=session_id(), reason=EndReason.CLOSED))
    await world.report(report)
    before = await world.stored()
    world.clock.advance(5)

    reply = await world.report(report)

    assert await world.stored() == before
    assert (reply.ended, reply.refused) == ((), ())


async def test_unknown_ended_and_foreign_sessions_do_not_beat(world: World) -> None:
    await world.holds(
        a_session(1, process=MINE),
        a_session(2, process=MINE).ended(ago(9)),
        a_session(3, process=FOREIGN),
    )
    world.clock.advance(30)

    reply = await world.report(a_report(beats=(1, 2, 3, 4)))

    assert reply.unknown == (session_id(3), session_id(4))
    assert reply.ended == (session_id(2),)
    assert (await world.stored(3)).last_heartbeat == NOON


async def test_every_id_is_answered_once_however_often_it_comes_up(world: World) -> None:
    await world.holds(a_session(2, process=MINE).ended(ago(9)))

    reply = await world.report(a_report(running(1), running(2), running(1), beats=(1, 1, 2)))

    assert reply.unknown == (session_id(1),)
    assert reply.ended == (session_id(2),)


async def test_one_item_that_breaks_a_rule_does_not_hold_up_the_rest(world: World) -> None:
    await world.holds(a_session(1, process=MINE), a_session(2, process=MINE, task=a_task()))

    reply = await world.report(
        a_report(
            registration(3, app_name=""),
            registration(4),
            running(1, progress=1.1),
            running(1, "Saving"),
            running(5),
            Ending(session_id=session_id(2), reason=EndReason.EXPIRED),
            beats=(1, 2, 4),
        )
    )

    refused = [(each.session_id, each.detail.partition(":")[0]) for each in reply.refused]
    assert refused == [
        (session_id(3), "app_name"),
        (session_id(1), "progress"),
        (session_id(2), "reason"),
    ]
    assert reply.unknown == (session_id(5),)
    assert await world.live() == [session_id(1), session_id(2), session_id(4)]
    assert (await world.stored(1)).task == Task(name="Saving", started_at=NOON)
    assert (await world.stored(2)).task == a_task()


async def test_a_refused_item_leaves_its_session_as_it_was(world: World) -> None:
    await world.holds(a_session(process=MINE, last_heartbeat=ago(60), task=a_task()))

    await world.report(a_report(running(progress=float("nan"))))

    assert await world.stored() == a_session(process=MINE, last_heartbeat=ago(60), task=a_task())


async def test_a_session_taken_by_another_app_is_refused(world: World) -> None:
    await world.holds(a_session(process=MINE, app_name="stock"))

    reply = await world.report(a_report(registration()))

    assert [each.session_id for each in reply.refused] == [session_id()]
    assert (await world.stored()).app_name == "stock"


async def test_news_of_an_ended_session_is_told_that_it_has_ended(world: World) -> None:
    over = a_session(1, process=MINE, kill=a_kill(1)).ended(ago(9))
    await world.holds(over)

    for news in (registration(1), running(1), step(1, KillState.ACKNOWLEDGED)):
        reply = await world.report(a_report(news))
        assert (reply.ended, reply.unknown, reply.refused) == ((session_id(1),), (), ())

    assert await world.stored(1) == over


@pytest.mark.parametrize(
    "news",
    [
        registration(),
        running(),
        step(1, KillState.DELIVERED),
        Ending(session_id=session_id()),
    ],
)
async def test_a_process_does_not_speak_for_another(world: World, news: News) -> None:
    before = a_session(process=FOREIGN, kill=a_kill())
    await world.holds(before)

    reply = await world.report(a_report(news))

    assert [each.session_id for each in reply.refused] == [session_id()]
    assert await world.stored() == before


@pytest.mark.parametrize("beats", [(), (1,)])
async def test_the_kill_of_a_foreign_session_is_not_handed_out(
    world: World, beats: tuple[int, ...]
) -> None:
    await world.holds(a_session(process=FOREIGN, kill=a_kill()))

    reply = await world.report(a_report(running(), beats=beats))

    assert reply.kill_requested == ()


async def test_a_process_may_speak_for_a_session_of_none(world: World) -> None:
    await world.holds(a_session(kill=a_kill()))

    reply = await world.report(a_report(running(), beats=(1,)))

    assert reply.kill_requested == (order(1),)
    assert (await world.stored()).task


async def test_an_order_is_handed_out_with_its_reason_to_whoever_beats(world: World) -> None:
    await world.holds(
        a_session(1, process=MINE, kill=a_kill(1, reason="maintenance")),
        a_session(2, process=MINE),
        a_session(3, process=MINE, kill=a_kill(3)),
        a_session(4, process=MINE, kill=a_kill(4)),
    )

    reply = await world.report(a_report(beats=(1, 2, 3)))

    assert sorted(reply.kill_requested, key=lambda each: each.session_id) == [
        order(1, "maintenance"),
        order(3),
    ]


async def test_an_order_is_handed_out_with_news_too(world: World) -> None:
    await world.holds(a_session(process=MINE, kill=a_kill()))

    reply = await world.report(a_report(running()))

    assert reply.kill_requested == (order(1),)


async def test_an_order_is_repeated_until_its_session_has_ended(world: World) -> None:
    await world.holds(a_session(process=MINE, kill=a_kill()))
    reports = [
        a_report(beats=(1,)),
        a_report(beats=(1,)),
        a_report(step(1, KillState.DELIVERED), beats=(1,)),
        a_report(step(1, KillState.ACKNOWLEDGED), beats=(1,)),
        a_report(beats=(1,)),
        a_report(Ending(session_id=session_id(), reason=EndReason.KILLED)),
        a_report(beats=(1,)),
    ]

    replies = [await world.report(each) for each in reports]

    repeated = [(order(1),)] * 5
    assert [each.kill_requested for each in replies] == [*repeated, (), ()]
    assert replies[-1].ended == (session_id(),)


async def test_the_steps_of_a_kill_are_stored_with_their_times(world: World) -> None:
    await world.holds(a_session(process=MINE, kill=a_kill()))

    for news in (
        step(1, KillState.DELIVERED),
        step(1, KillState.ACKNOWLEDGED),
        Ending(session_id=session_id(), reason=EndReason.KILLED),
    ):
        world.clock.advance(1)
        await world.report(a_report(news))

    over = await world.stored()
    assert over.kill == a_kill(delivered_at=ago(-1), acknowledged_at=ago(-2), ended_at=ago(-3))
    assert over.end
    assert over.end.reason is EndReason.KILLED


async def test_an_order_given_during_the_report_of_an_end_is_not_handed_out(world: World) -> None:
    await world.holds(a_session(process=MINE, kill=a_kill()))

    reply = await world.report(a_report(Ending(session_id=session_id()), beats=()))

    assert reply.kill_requested == ()


async def test_a_report_tells_where_its_process_runs(world: World) -> None:
    await world.holds(a_session(process=a_process(1, host=None, pid=None)))

    await world.report(a_report(beats=(1,)))

    assert (await world.stored()).process == MINE


async def test_a_session_registered_again_after_a_loss_has_its_true_start(world: World) -> None:
    await world.report(a_report(registration(age=0.0), beats=(1,)))
    world.clock.advance(1000)
    world.sessions.tables.sessions.clear()

    first = await world.report(a_report(beats=(1,)))
    await world.report(a_report(registration(age=1000.0), beats=(1,)))

    assert first.unknown == (session_id(),)
    assert (await world.stored()).started_at == NOON
