"""Sending a text to pages."""

import pytest
from panel_session_monitor.domain.errors import InvalidField, SessionEnded, SessionNotFound
from panel_session_monitor.domain.ids import MessageId
from panel_session_monitor.domain.report import Notice, Report, Shown

from ...fakes.clock import NOON
from ...fakes.examples import a_message, a_process, a_session, ago, session_id
from .world import World

UNFIT_TEXTS = ["", "  ", "\n", "x" * 1001, "a\0b", "\ud800", "bell\a"]


async def test_a_message_is_sent_to_one_session(world: World) -> None:
    await world.holds(a_session(1), a_session(2))

    (message,) = await world.send(" Save now \n please ", session_id=session_id(1), sent_by="ada")

    assert (message.session_id, message.sent_at, message.sent_by) == (session_id(1), NOON, "ada")
    assert message.text == "Save now \n please"


@pytest.mark.parametrize(("app_name", "numbers"), [("sales", [1, 2]), (None, [1, 2, 3]), ("x", [])])
async def test_a_message_is_sent_to_those_of_an_app_or_to_all(
    world: World, app_name: str | None, numbers: list[int]
) -> None:
    await world.holds(
        a_session(1), a_session(2), a_session(3, app_name="stock"), a_session(4).ended(ago(1))
    )

    messages = await world.send("Hello", app_name=app_name)

    assert sorted(each.session_id for each in messages) == list(map(session_id, numbers))
    assert len({each.message_id for each in messages}) == len(numbers)


@pytest.mark.parametrize("text", UNFIT_TEXTS)
async def test_an_unfit_text_is_refused_even_if_there_is_nobody(world: World, text: str) -> None:
    with pytest.raises(InvalidField) as raised:
        await world.send(text)

    assert raised.value.field == "text"


async def test_nobody_is_sent_what_only_one_was_meant_to_get(world: World) -> None:
    await world.holds(a_session(1).ended(ago(1)))

    with pytest.raises(SessionEnded):
        await world.send("Hello", session_id=session_id(1))
    with pytest.raises(SessionNotFound):
        await world.send("Hello", session_id=session_id(2))


async def test_every_reply_brings_a_message_until_it_was_shown(world: World) -> None:
    process = a_process()
    await world.holds(a_session(1, process=process))
    (message,) = await world.send("Hello", session_id=session_id(1), sent_by="ada")
    alive = Report(process=process, session_ids=(session_id(1),))
    shown = Shown(session_id=session_id(1), message_id=message.message_id)

    replies = [
        await world.report(each)
        for each in (alive, Report(process=process), Report(process=process, news=(shown,)), alive)
    ]

    notice = Notice(
        session_id=session_id(1), message_id=message.message_id, text="Hello", sent_by="ada"
    )
    assert [reply.messages for reply in replies] == [(notice,), (notice,), (), ()]
    assert all(reply.refused == reply.unknown == () for reply in replies)


async def test_only_the_process_that_serves_a_session_says_what_it_has_shown(
    world: World,
) -> None:
    mine, other = a_process(1), a_process(2)
    await world.holds(a_session(1, process=mine))
    (message,) = await world.send("Hello")
    shown = Shown(session_id=session_id(1), message_id=message.message_id)

    refused = await world.report(Report(process=other, news=(shown,)))
    waiting = await world.report(Report(process=mine))

    assert [each.session_id for each in refused.refused] == [session_id(1)]
    assert [each.message_id for each in waiting.messages] == [message.message_id]


async def test_a_message_that_nobody_sent_was_shown_in_vain(world: World) -> None:
    await world.holds(a_session(1))
    never = MessageId(a_message(9, 1).message_id)

    reply = await world.report(
        Report(process=a_process(), news=(Shown(session_id=session_id(1), message_id=never),))
    )

    assert reply.refused == ()
