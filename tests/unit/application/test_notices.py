"""What operators tell pages: each message once, reported when shown; drains as they stand."""

import asyncio
import logging
from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from panel_session_monitor.adapters.interruption import Interruptions, raiser
from panel_session_monitor.application import notices
from panel_session_monitor.application.drain import DrainApp, UndrainApp
from panel_session_monitor.application.draining import SAME_MOMENT
from panel_session_monitor.application.tracker import Tracker
from panel_session_monitor.application.tracking import NEWS_PER_REPORT, TrackedSession
from panel_session_monitor.domain.ids import DrainId, MessageId
from panel_session_monitor.domain.report import Draining, Notice, Shown

from ...fakes.examples import a_message
from ...fakes.ids import SequentialIds
from .app import App
from .linked import LOGGER, Linked, errors_of, soon

_numbers = count(1)


class Desk(App):
    """An app whose reports are sent by hand, and what the monitor sends to it."""

    def in_report(self, *, beat: bool = False) -> list[Shown]:
        """Return which messages the next report tells to have been shown."""
        news = self.tracking.draft(beat=beat).report.news
        return [each for each in news if isinstance(each, Shown)]

    def take(self, *messages: Notice) -> None:
        """Have messages come from the monitor."""
        self.tracking.show(messages)


def send(app: App, session: TrackedSession, text: str = "Please save") -> MessageId:
    message = a_message(next(_numbers), 1, session_id=session.session_id, text=text, sent_by="ada")
    asyncio.run(app.world.sessions.send([message]))
    return message.message_id


def drain(app: App, app_name: str = "sales", **terms: Any) -> None:
    use_case = DrainApp(unit_of_work=app.world.sessions, clock=app.clock, ids=SequentialIds())
    asyncio.run(use_case(app_name, **terms))


def undrain(app: App, app_name: str = "sales") -> None:
    asyncio.run(UndrainApp(unit_of_work=app.world.sessions)(app_name))


def waiting(app: App) -> set[MessageId]:
    """Return the messages that the monitor has not heard to have been shown."""
    return set(app.world.sessions.tables.messages)


def a_notice(session: TrackedSession, number: int = 1) -> Notice:
    message_id = MessageId(UUID(int=number))
    return Notice(session_id=session.session_id, message_id=message_id, text="Please save")


def a_draining(number: int = 1, **fields: Any) -> Draining:
    plain: dict[str, Any] = {"app_name": "sales", "drain_id": DrainId(UUID(int=number))}
    return Draining(**plain | fields)


@pytest.fixture
def app() -> Desk:
    return Desk()


@pytest.fixture
def linked() -> Iterator[Linked]:
    app = Linked()
    yield app
    app.link.shut_down()


# Messages


def test_a_message_is_delivered_when_the_page_has_it(linked: Linked) -> None:
    session = linked.open()
    linked.known(session)
    message_id = send(linked, session, "Please\nsave")

    linked.beats()
    [(message, shown)] = soon(lambda: linked.hosts[session.session_id].messages)
    linked.beats()
    before = waiting(linked)
    shown()

    assert (message.text, message.sent_by) == ("Please\nsave", "ada")
    assert before == {message_id}
    assert soon(lambda: not waiting(linked))


def test_the_stream_brings_a_message_at_once(linked: Linked) -> None:
    session = linked.open()
    linked.known(session)

    send(linked, session)
    linked.monitor.poke()

    assert soon(lambda: linked.hosts[session.session_id].messages)


def test_a_message_that_comes_again_is_not_shown_again(app: Desk) -> None:
    session = app.open()

    app.take(a_notice(session), a_notice(session), a_notice(session, 2))
    app.take(a_notice(session))

    shown = [message.message_id.int for message, _ in app.hosts[session.session_id].messages]
    assert shown == [1, 2]


def test_a_message_to_nobody_or_to_a_session_that_is_over_is_left_alone(app: Desk) -> None:
    session = app.open()
    app.tracking.close(session)

    app.take(a_notice(session))

    assert app.hosts[session.session_id].messages == []


def test_what_was_shown_is_reported_until_it_is_confirmed(app: Desk) -> None:
    session = app.open()
    app.exchange_all()
    app.take(a_notice(session))
    [(_, shown)] = app.hosts[session.session_id].messages
    assert (app.in_report(), app.tracking.due()) == ([], False)

    shown()

    told = Shown(session_id=session.session_id, message_id=MessageId(UUID(int=1)))
    assert app.tracking.due()
    assert app.in_report() == app.in_report() == [told]
    app.exchange()
    assert (app.in_report(), app.tracking.due()) == ([], False)


def test_a_message_that_the_monitor_repeats_is_reported_again_at_the_next_heartbeat(
    app: Desk,
) -> None:
    session = app.open()
    app.take(a_notice(session))
    app.hosts[session.session_id].messages[0][1]()
    app.exchange_all()

    app.take(a_notice(session))

    assert not app.tracking.due()
    assert app.in_report() == []
    assert len(app.in_report(beat=True)) == 1


def test_a_report_holds_no_more_of_what_was_shown_than_it_may(app: Desk) -> None:
    session = app.open()
    app.exchange_all()
    for number in range(NEWS_PER_REPORT + 1):
        app.take(a_notice(session, number))
        app.hosts[session.session_id].messages[-1][1]()

    first = app.in_report()
    app.exchange()

    assert (len(first), len(app.in_report())) == (NEWS_PER_REPORT, 1)


def test_the_messages_remembered_are_bounded(app: Desk) -> None:
    session = app.open()
    for number in range(notices.MESSAGES_KNOWN + 1):
        app.take(a_notice(session, number))
    shown = app.hosts[session.session_id].messages
    before = len(shown)

    app.take(a_notice(session, 1), a_notice(session, 0))

    assert [message.message_id.int for message, _ in shown[before:]] == [0]


def test_a_page_that_fails_keeps_nothing_from_the_others(
    app: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, LOGGER)
    broken, sound = app.open(), app.open()
    object.__setattr__(app.hosts[broken.session_id], "failure", RuntimeError("broken"))

    app.take(a_notice(broken, 1), a_notice(sound, 2))
    app.tracking.drained([a_draining()])

    assert len(app.hosts[sound.session_id].messages) == 1
    assert len(app.hosts[sound.session_id].drains) == 1
    assert len(errors_of(caplog)) == 2


# Drains


def test_a_drain_is_told_in_old_and_new_sessions_of_the_app_and_taken_back(
    linked: Linked,
) -> None:
    old, other = linked.open(), linked.open("other")
    linked.known(other)

    drain(linked, reason="An update", kill_after=90.0)
    linked.monitor.poke()
    [told] = soon(lambda: linked.hosts[old.session_id].drains)
    new = linked.open()
    undrain(linked)
    linked.monitor.poke()

    assert told
    assert (told.reason, told.seconds_left) == ("An update", 90)
    assert soon(lambda: linked.hosts[old.session_id].drains == [told, None])
    assert soon(lambda: linked.hosts[new.session_id].drains == [told, None])
    assert linked.hosts[other.session_id].drains == []


def test_the_heartbeat_brings_a_drain_and_its_end(linked: Linked) -> None:
    linked.monitor.no_orders = RuntimeError("no stream")
    session = linked.open()
    linked.known(session)
    told = linked.hosts[session.session_id].drains

    drain(linked)
    linked.beats()
    assert soon(lambda: len(told)) == 1
    undrain(linked)
    linked.beats()

    assert soon(lambda: told[1:]) == [None]


@pytest.mark.parametrize(
    ("later", "is_new"),
    [
        (a_draining(seconds_left=90), False),
        (a_draining(seconds_left=90 + SAME_MOMENT), False),
        (a_draining(seconds_left=90 + SAME_MOMENT + 0.1), True),
        (a_draining(seconds_left=None), True),
        (a_draining(2, seconds_left=90), True),
        (a_draining(seconds_left=90, reason="Other words"), True),
    ],
)
def test_a_drain_that_is_told_again_is_new_only_if_its_terms_are(
    app: Desk, later: Draining, is_new: bool
) -> None:
    session = app.open()
    app.tracking.drained([a_draining(seconds_left=100)])
    app.clock.advance(10)

    app.tracking.drained([later])

    assert len(app.hosts[session.session_id].drains) == 1 + is_new


def test_a_reply_that_was_on_its_way_does_not_undo_what_the_stream_has_brought(
    linked: Linked,
) -> None:
    session = linked.open()
    linked.known(session)
    told = linked.hosts[session.session_id].drains

    def overtaken(reply: Any) -> Any:
        linked.tracking.drained([a_draining()])
        return reply

    linked.monitor.garble = overtaken
    linked.beats()
    linked.monitor.garble = None
    before = soon(lambda: list(told))
    linked.beats()

    assert len(before) == 1
    assert soon(lambda: told[1:]) == [None]


def test_the_tracker_tells_of_the_drain(app: Desk) -> None:
    session = app.open()
    link = app.linked(lambda: 0.0)
    app.tracking.wake = lambda: None
    tracker = Tracker(link, session, Interruptions(raiser()))
    assert tracker.draining is None

    app.tracking.drained([a_draining(seconds_left=90, reason="An update")])
    app.clock.advance(30)

    assert tracker.draining
    assert (tracker.draining.reason, tracker.draining.seconds_left) == ("An update", 60)
    app.clock.advance(100)
    assert tracker.draining.seconds_left == 0
    app.tracking.drained([a_draining(seconds_left=None)])
    assert tracker.draining.seconds_left is None


# Ends


def test_an_end_says_who_has_ordered_it(linked: Linked) -> None:
    session = linked.open()
    linked.known(session)

    asyncio.run(linked.world.kill(session.session_id, reason="An update", requested_by="ada"))
    linked.monitor.poke()

    host = linked.hosts[session.session_id]
    assert soon(lambda: host.ended_by) == ["ada"]
    assert host.ended_for == ["An update"]
