"""Reading sessions."""

from typing import Any

import pytest
from panel_session_monitor.application.listing import LARGEST_PAGE, ListRequest
from panel_session_monitor.application.ports import LiveSession
from panel_session_monitor.domain.errors import InvalidField, SessionNotFound
from panel_session_monitor.domain.staleness import Status

from ...fakes.examples import MICROSECOND, a_session, a_task, ago, session_id
from .world import World

BORDER = ago(120)


async def test_the_list_is_in_the_order_of_the_ids_and_holds_live_sessions_only(
    world: World,
) -> None:
    await world.holds(a_session(3), a_session(1), a_session(2).ended(ago(1)))

    listing = await world.listing(ListRequest())

    expected = [LiveSession.of(a_session(number)) for number in (1, 3)]
    assert await world.read(listing) == expected
    assert listing.next is None


@pytest.mark.parametrize(
    ("status", "numbers"),
    [
        (None, [1, 2, 3, 4, 5, 6]),
        (Status.IDLE, [1, 2]),
        (Status.RUNNING, [4, 5]),
        (Status.STALE, [3, 6]),
    ],
)
async def test_a_status_is_judged_at_this_moment(
    world: World, status: Status | None, numbers: list[int]
) -> None:
    await world.holds(
        a_session(1),
        a_session(2, last_heartbeat=BORDER + MICROSECOND),
        a_session(3, last_heartbeat=BORDER),
        a_session(4, task=a_task()),
        a_session(5, last_heartbeat=BORDER + MICROSECOND, task=a_task()),
        a_session(6, last_heartbeat=BORDER, task=a_task()),
        a_session(7).ended(ago(1)),
    )

    listing = await world.listing(ListRequest(status=status))

    seen = await world.read(listing)
    assert [each.session_id for each in seen] == list(map(session_id, numbers))
    assert status is None or {listing.status(each) for each in seen} == {status}


async def test_silence_makes_stale_without_any_event(world: World) -> None:
    await world.holds(a_session())

    world.clock.advance(119.9)
    before = await world.live(status=Status.STALE)
    world.clock.advance(0.1)
    after = await world.live(status=Status.STALE)

    assert (before, after) == ([], [session_id()])


@pytest.mark.parametrize(
    ("criteria", "numbers"),
    [
        ({"app_name": "sales"}, [1, 2]),
        ({"user_id": "ada"}, [1, 3]),
        ({"app_name": "sales", "user_id": "ada"}, [1]),
        ({"app_name": "sales", "status": Status.RUNNING}, [2]),
        ({"app_name": "nobody's"}, []),
    ],
)
async def test_the_list_can_be_narrowed(
    world: World, criteria: dict[str, Any], numbers: list[int]
) -> None:
    await world.holds(
        a_session(1, user_id="ada"),
        a_session(2, task=a_task()),
        a_session(3, app_name="stock", user_id="ada"),
    )

    assert await world.live(**criteria) == list(map(session_id, numbers))


async def test_pages_lead_from_one_to_the_next(world: World) -> None:
    await world.holds(*map(a_session, range(1, 6)))
    pages, after = [], None

    while True:
        listing = await world.listing(ListRequest(limit=2, after=after))
        pages.append([each.session_id.int for each in await world.read(listing)])
        assert listing.total == 5
        if not (after := listing.next):
            break

    assert pages == [[1, 2], [3, 4], [5]]


async def test_a_last_page_that_is_full_is_followed_by_none(world: World) -> None:
    await world.holds(a_session(1), a_session(2))

    listing = await world.listing(ListRequest(limit=2))

    assert listing.next is None


@pytest.mark.parametrize("limit", [1, LARGEST_PAGE])
async def test_a_page_may_be_as_large_as_this(world: World, limit: int) -> None:
    await world.holds(a_session())

    assert await world.live(limit=limit) == [session_id()]


@pytest.mark.parametrize("limit", [-1, 0, LARGEST_PAGE + 1, 2**70])
async def test_a_page_is_neither_empty_nor_endless(world: World, limit: int) -> None:
    with pytest.raises(InvalidField) as raised:
        await world.listing(ListRequest(limit=limit))

    assert raised.value.field == "limit"


async def test_the_live_list_has_no_ended_sessions_to_ask_for(world: World) -> None:
    with pytest.raises(InvalidField) as raised:
        await world.listing(ListRequest(status=Status.ENDED))

    assert raised.value.field == "status"


async def test_one_session_is_shown_as_it_is_now(world: World) -> None:
    await world.holds(a_session(last_heartbeat=ago(120), task=a_task(started_at=ago(60))))

    seen = await world.get(session_id())

    assert seen.status is Status.STALE
    assert (seen.seconds_since_heartbeat, seen.task_seconds) == (120, 60)


async def test_an_ended_session_is_shown_as_long_as_it_is_in_the_history(world: World) -> None:
    over = a_session().ended(ago(1))
    await world.holds(over)

    seen = await world.get(session_id())

    assert (seen.session, seen.status) == (over, Status.ENDED)


async def test_an_unknown_session_is_not_shown(world: World) -> None:
    with pytest.raises(SessionNotFound):
        await world.get(session_id())
