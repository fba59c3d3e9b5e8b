"""What has happened is written down with what it is about."""

import pytest
from panel_session_monitor.application.recording import RecordingUnitOfWork
from panel_session_monitor.domain.event import EventKind

from ...fakes.clock import NOON, SettableClock
from ...fakes.examples import a_kill, a_message, a_session, a_task, ago, an_event, session_id
from ...fakes.sessions import InMemorySessions


class Recorded:
    """A store that writes down what happens."""

    def __init__(self) -> None:
        self.sessions = InMemorySessions()
        self.begin = RecordingUnitOfWork(unit_of_work=self.sessions, clock=SettableClock())

    async def told(self) -> list[EventKind]:
        """Return what has happened to the first session."""
        return [each.kind for each in await self.sessions.events(session_id())]


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


async def test_a_session_that_was_not_read_is_new(recorded: Recorded) -> None:
    async with recorded.begin() as sessions:
        await sessions.save([a_session()])

    opened = an_event(1, EventKind.OPENED, at=ago(3600))
    assert await recorded.sessions.events(session_id()) == [opened]


@pytest.mark.parametrize("way", ["get", "live_of", "silent_since"])
async def test_what_was_read_in_any_way_is_what_was_before(recorded: Recorded, way: str) -> None:
    async with recorded.sessions() as sessions:
        await sessions.save([a_session()])

    async with recorded.begin() as sessions:
        match way:
            case "get":
                await sessions.get([session_id()])
            case "live_of":
                await sessions.live_of("sales")
            case _:
                await sessions.silent_since(NOON)
        await sessions.save([a_session(task=a_task())])
        await sessions.save([a_session(task=a_task(progress=1.0), kill=a_kill())])

    assert await recorded.told() == [EventKind.TASK_STARTED, EventKind.KILL_REQUESTED]


async def test_messages_are_sent_and_delivered(recorded: Recorded) -> None:
    message = a_message(1, 1, sent_by="ada")

    async with recorded.begin() as sessions:
        await sessions.send([message])
    async with recorded.begin() as sessions:
        await sessions.shown([message.message_id, a_message(2, 1).message_id])
        await sessions.shown([message.message_id])

    assert await recorded.sessions.events(session_id()) == [
        an_event(1, kind, text=message.text, by="ada")
        for kind in (EventKind.MESSAGE_SENT, EventKind.MESSAGE_DELIVERED)
    ]


async def test_nothing_has_happened_in_a_transaction_that_fails(recorded: Recorded) -> None:
    async def fail() -> None:
        async with recorded.begin() as sessions:
            await sessions.save([a_session()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await recorded.told() == []
