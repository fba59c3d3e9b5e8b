"""Changes and pokes within one process: nothing lost, nothing repeated, nothing kept for nobody."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest
from anyio.lowlevel import checkpoint
from panel_session_monitor.adapters.broadcast import AT_ONCE, LocalKillChannel, RingChangeFeed
from panel_session_monitor.application.ports import Event
from panel_session_monitor.domain.change import Change, Changed, Heard
from panel_session_monitor.domain.ids import ProcessId

from ..fakes.clock import NOON
from ..fakes.examples import a_process, a_session, session_id

EPOCH = UUID(int=1)


def changes(*numbers: int) -> list[Change]:
    return [Changed(session=a_session(number)) for number in numbers]


def changes_of(events: Sequence[Event]) -> list[Change | None]:
    return [event.change for event in events]


@pytest.fixture
def feed() -> RingChangeFeed:
    return RingChangeFeed(EPOCH, kept_changes=10, kept_ids=100)


async def test_a_reader_gets_what_came_after_its_position(feed: RingChangeFeed) -> None:
    feed.publish(changes(1))
    start = feed.position()
    feed.publish(changes(2, 3))
    feed.publish(changes(4))

    events = await feed.after(start)

    assert changes_of(events) == changes(2, 3, 4)
    assert events[-1].position == feed.position()
    assert changes_of(await feed.after(events[0].position)) == changes(3, 4)


async def test_all_who_wait_get_what_comes(feed: RingChangeFeed) -> None:
    readers = [asyncio.create_task(feed.after(feed.position())) for _ in range(3)]
    await checkpoint()

    feed.publish(changes(1, 2))

    for events in await asyncio.gather(*readers):
        assert changes_of(events) == changes(1, 2)


async def test_a_wait_that_is_given_up_disturbs_nobody(feed: RingChangeFeed) -> None:
    start = feed.position()
    impatient, patient = (asyncio.create_task(feed.after(start)) for _ in range(2))
    await checkpoint()

    impatient.cancel()
    await asyncio.wait([impatient])
    feed.publish(changes(1))

    assert changes_of(await patient) == changes(1)
    assert changes_of(await feed.after(start)) == changes(1)


async def test_a_reader_gets_so_many_at_a_time_and_the_rest_then() -> None:
    feed = RingChangeFeed(EPOCH)
    start, numbers = feed.position(), range(1, AT_ONCE + 2)
    feed.publish(changes(*numbers))

    first = await feed.after(start)
    rest = await feed.after(first[-1].position)

    assert len(first) == AT_ONCE
    assert [*changes_of(first), *changes_of(rest)] == changes(*numbers)


@pytest.mark.parametrize(("missed", "told"), [(10, False), (11, True)])
async def test_who_falls_too_far_behind_must_look_anew(
    feed: RingChangeFeed, missed: int, told: bool
) -> None:
    start = feed.position()
    feed.publish(changes(*range(missed)))

    events = await feed.after(start)

    assert (events == (Event(position=feed.position(), change=None),)) is told
    assert len(events) == (1 if told else missed)


async def test_who_must_look_anew_goes_on_from_there(feed: RingChangeFeed) -> None:
    (gap,) = await feed.after("nonsense")
    feed.publish(changes(1))

    assert gap.change is None
    assert changes_of(await feed.after(gap.position)) == changes(1)


KNOWN, FOREIGN = EPOCH.hex, UUID(int=2).hex
UNKNOWN = ["", "-", "0", "nonsense", f"{FOREIGN}-0"]
STRANGE = [f"{KNOWN}-{number}" for number in ("1", "-1", "+0", "1e3", "²", "9" * 5000)]


@pytest.mark.parametrize("position", [*UNKNOWN, *STRANGE])
async def test_a_position_that_is_not_known_here_is_told_at_once(
    feed: RingChangeFeed, position: str
) -> None:
    assert changes_of(await feed.after(position)) == [None]


async def test_heartbeats_that_name_very_many_take_no_more_room(feed: RingChangeFeed) -> None:
    start = feed.position()
    ids = tuple(session_id(number) for number in range(40))
    beats: list[Change] = [Heard(at=NOON, session_ids=ids) for _ in range(3)]

    feed.publish(beats[:2])
    kept = await feed.after(start)
    feed.publish(beats[2:])
    lost = await feed.after(start)

    assert changes_of(kept) == beats[:2]
    assert changes_of(lost) == [None]


async def test_a_closed_feed_gives_nothing(feed: RingChangeFeed) -> None:
    start = feed.position()
    waiting = asyncio.create_task(feed.after(start))
    await checkpoint()

    feed.close()
    feed.publish(changes(1))

    assert await waiting == ()
    assert await feed.after(start) == ()


# The kill channel ------------------------------------------------------------------------------

ONE, OTHER = (ProcessId(a_process(number).process_id) for number in (1, 2))


@pytest.fixture
def kills() -> LocalKillChannel:
    return LocalKillChannel()


async def test_a_poke_wakes_those_who_listen_for_the_process(kills: LocalKillChannel) -> None:
    with kills.listen(ONE) as first, kills.listen(ONE) as second, kills.listen(OTHER) as other:
        waits = [asyncio.create_task(each.poked()) for each in (first, second, other)]
        await checkpoint()

        kills.poke([ONE])

        assert await asyncio.gather(*waits[:2]) == [True, True]
        assert not waits[2].done()
        kills.poke([OTHER])
        assert await waits[2]


async def test_pokes_between_two_waits_are_one(kills: LocalKillChannel) -> None:
    with kills.listen(ONE) as listener:
        kills.poke([ONE])
        kills.poke([ONE])

        assert await listener.poked()
        again = asyncio.create_task(listener.poked())
        await checkpoint()
        assert not again.done()
        kills.poke([ONE])
        assert await again


async def test_a_wait_that_is_given_up_loses_no_poke(kills: LocalKillChannel) -> None:
    with kills.listen(ONE) as listener:
        waiting = asyncio.create_task(listener.poked())
        await checkpoint()

        kills.poke([ONE])
        waiting.cancel()
        await asyncio.wait([waiting])

        assert waiting.cancelled()
        assert await listener.poked()


async def test_nothing_is_kept_for_a_process_that_nobody_listens_for(
    kills: LocalKillChannel,
) -> None:
    with kills.listen(ONE):
        with kills.listen(ONE), kills.listen(OTHER):
            assert kills.listeners == 3
        assert kills.listeners == 1
    kills.poke([ONE, OTHER])

    assert kills.listeners == 0
    with kills.listen(ONE) as late:
        waiting = asyncio.create_task(late.poked())
        await checkpoint()
        assert not waiting.done()
        waiting.cancel()


async def test_a_closed_channel_ends_every_wait(kills: LocalKillChannel) -> None:
    with kills.listen(ONE) as early:
        waiting = asyncio.create_task(early.poked())
        await checkpoint()

        kills.close()

        assert await waiting is False
        with kills.listen(OTHER) as late:
            assert await late.poked() is False
