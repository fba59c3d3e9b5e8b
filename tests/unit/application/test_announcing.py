"""What was stored is told, and nothing else."""

import asyncio
from uuid import UUID

import pytest
from panel_session_monitor.adapters.broadcast import LocalKillChannel, RingChangeFeed
from panel_session_monitor.application.announcing import AnnouncingUnitOfWork
from panel_session_monitor.application.ports import Beat
from panel_session_monitor.domain.change import Change, Changed, DrainChanged, Heard

from ...fakes.clock import NOON
from ...fakes.examples import a_drain, a_kill, a_message, a_process, a_session, session_id
from ...fakes.sessions import InMemorySessions


class Announced:
    """A store that announces, and those who listen to it."""

    def __init__(self) -> None:
        self.feed = RingChangeFeed(UUID(int=1))
        self.kills = LocalKillChannel()
        self.begin = AnnouncingUnitOfWork(
            unit_of_work=InMemorySessions(), feed=self.feed, kills=self.kills
        )
        self.start = self.feed.position()

    async def told(self) -> list[Change | None]:
        """Return the changes that were published."""
        if self.feed.position() == self.start:
            return []
        return [event.change for event in await self.feed.after(self.start)]


@pytest.fixture
async def announced() -> Announced:
    return Announced()


async def test_changes_are_told_when_they_are_stored_in_their_order(announced: Announced) -> None:
    async with announced.begin() as sessions:
        await sessions.save([a_session(1), a_session(2)])
        before = await announced.told()
    async with announced.begin() as sessions:
        await sessions.save([a_session(1).ended(NOON)])

    assert before == []
    assert await announced.told() == [
        Changed(session=a_session(1)),
        Changed(session=a_session(2)),
        Changed(session=a_session(1).ended(NOON)),
    ]


async def test_nothing_is_told_of_a_transaction_that_fails(announced: Announced) -> None:
    async def fail() -> None:
        async with announced.begin() as sessions:
            await sessions.save([a_session(1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await announced.told() == []


async def test_heartbeats_of_a_moment_are_one_change(announced: Announced) -> None:
    mine = a_process(1)
    async with announced.begin() as sessions:
        await sessions.save(
            [a_session(1, process=mine), a_session(2), a_session(3, process=a_process(2))]
        )
    announced.start = announced.feed.position()

    async with announced.begin() as sessions:
        whole = Beat(process=mine, session_ids=(session_id(1),))
        part = Beat(process=a_process(2), session_ids=(session_id(3), session_id(2), session_id(9)))
        single = Beat(process=None, session_ids=(session_id(2), session_id(9)))
        await sessions.beat([whole, part, single], NOON)

    [heard] = await announced.told()
    assert isinstance(heard, Heard)
    assert (heard.at, heard.process_ids[0]) == (NOON, mine.process_id)
    assert set(heard.session_ids) <= {session_id(2), session_id(3)}
    assert session_id(2) in heard.session_ids


async def test_a_beat_that_reaches_nobody_is_not_told(announced: Announced) -> None:
    async with announced.begin() as sessions:
        await sessions.beat([Beat(process=None, session_ids=(session_id(9),))], NOON)

    assert await announced.told() == []


async def test_a_process_is_poked_when_an_order_for_it_is_stored(announced: Announced) -> None:
    mine, other = a_process(1), a_process(2)
    ordered = a_session(1, process=mine, kill=a_kill())
    told = a_session(2, process=other, kill=a_kill(2, delivered_at=NOON))
    kills = announced.kills
    with kills.listen(mine.process_id) as here, kills.listen(other.process_id) as there:
        async with announced.begin() as sessions:
            await sessions.save([ordered, told])

        assert await asyncio.wait_for(here.poked(), 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(there.poked(), 0.05)


async def test_a_drain_is_told_and_so_is_that_it_is_over(announced: Announced) -> None:
    async with announced.begin() as sessions:
        await sessions.drain(a_drain())
    async with announced.begin() as sessions:
        await sessions.undrain("sales")

    assert await announced.told() == [
        DrainChanged(app_name="sales", drain=a_drain()),
        DrainChanged(app_name="sales", drain=None),
    ]


@pytest.mark.parametrize("word", ["drain", "undrain", "message"])
async def test_those_are_poked_whom_a_word_concerns(announced: Announced, word: str) -> None:
    mine, other = a_process(1), a_process(2)
    async with announced.begin() as sessions:
        await sessions.save(
            [a_session(1, process=mine), a_session(2, process=other, app_name="stock")]
        )
    kills = announced.kills

    with kills.listen(mine.process_id) as here, kills.listen(other.process_id) as there:
        async with announced.begin() as sessions:
            match word:
                case "drain":
                    await sessions.drain(a_drain())
                case "undrain":
                    await sessions.undrain("sales")
                case _:
                    await sessions.send([a_message(1, 1)])

        assert await asyncio.wait_for(here.poked(), 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(there.poked(), 0.05)
