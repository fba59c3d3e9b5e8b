"""What a viewer may order: each order asks once, then tells what became of it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import panel as pn

from ...application.operator_ports import OperatorError, Reached
from ...domain.ids import MESSAGE_LENGTH, REASON_LENGTH, SessionId
from ...domain.staleness import Observation
from .components.question import Act, Question
from .desk import Desk
from .words import Pairs, called, facts, listing, sessions

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doom:
    """A kill that is being asked about: whom it would end by now, and how to order it."""

    concerned: Callable[[], Iterable[SessionId]]
    kill: Callable[[str | None], Awaitable[Reached]]
    app_name: str | None = None
    alone: Observation | None = None


class Orders:
    """Kills, messages and drains; `show` keeps the numbers right while one is asked about."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._doom: Doom | None = None
        self.dialogs: Any = pn.Column(margin=0)
        """The questions, each from when it is first asked."""

    def kill_one(self, session_id: SessionId) -> None:
        """Ask whether to end a session."""
        seen = self._desk.mirror.seen(session_id)
        if seen is None:
            self._desk.notice.say("This session has already ended.", "warning")
            return

        async def kill(reason: str | None) -> Reached:
            await self._desk.operator.kill(session_id, reason=reason, requested_by=self._desk.by)
            return Reached(session_ids=(session_id,))

        doom = Doom(concerned=lambda: [session_id], kill=kill, alone=seen)
        self._ask("Kill this session?", doom)

    def kill_many(self, session_ids: frozenset[SessionId]) -> None:
        """Ask whether to end those of the sessions that are live."""

        async def kill(reason: str | None) -> Reached:
            order = self._desk.operator.kill_many
            return await order(session_ids, reason=reason, requested_by=self._desk.by)

        self._ask("Kill the selected sessions?", Doom(concerned=lambda: session_ids, kill=kill))

    def kill_app(self, app_name: str) -> None:
        """Ask whether to end every session of an app."""

        async def kill(reason: str | None) -> Reached:
            order = self._desk.operator.kill_all
            return await order(app_name, reason=reason, requested_by=self._desk.by)

        doom = Doom(concerned=lambda: self._desk.mirror.of(app_name), kill=kill, app_name=app_name)
        self._ask("Kill all sessions of an app?", doom)

    def message(self, *, session_id: SessionId | None = None, app_name: str | None = None) -> None:
        """Ask for a text to show in the page of a session, in those of an app, or in all."""
        mirror = self._desk.mirror
        if session_id:
            seen = mirror.seen(session_id)
            to, reached = called(seen) if seen else str(session_id), 1 if seen else 0
        elif app_name:
            to, reached = f"all sessions of {app_name}", len(mirror.of(app_name))
        else:
            to, reached = "all sessions of all apps", len(mirror.sessions)

        async def send(text: str | None, _: float | None) -> None:
            order = self._desk.operator.send(
                text or "", session_id=session_id, app_name=app_name, sent_by=self._desk.by
            )
            if sent := await self._tried("Not sent", order):
                self._desk.notice.say(f"Sent to {sessions(len(sent.session_ids))}.", "success")

        told = [("To", to), ("Reaches", sessions(reached))]
        self._pose(self._message, "Send a message?", "Send", told, send)

    def drain(self, app_name: str) -> None:
        """Ask for the terms of an app's drain."""

        async def drain(reason: str | None, seconds: float | None) -> None:
            order = self._desk.operator.drain(
                app_name, kill_after=seconds, reason=reason, requested_by=self._desk.by
            )
            if await self._tried("Not drained", order):
                self._desk.notice.say(f"{app_name} is being drained.", "warning")

        told = [
            ("App", app_name),
            ("Live now", sessions(len(self._desk.mirror.of(app_name)))),
            ("Then", "Open pages ask people to finish; a new page says that the app is drained."),
        ]
        self._pose(self._drain, "Drain this app?", "Drain", told, drain)

    def undrain(self, app_name: str) -> None:
        """Take a drain back, without a question: that ends nothing."""

        async def undrain() -> None:
            await self._desk.operator.undrain(app_name)
            self._desk.notice.say(f"{app_name} is no longer drained.", "success")

        self._desk.send(undrain())

    def show(self) -> None:
        """Keep what is asked about true."""
        if self._doom and not self._doom.alone and self._kill.asking:
            self._kill.tell(*self._terms(self._doom))

    def _ask(self, title: str, doom: Doom) -> None:
        self._doom = doom
        self._pose(self._kill, title, *self._terms(doom), self._confirmed)

    def _terms(self, doom: Doom) -> tuple[str, Pairs]:
        if doom.alone:
            return "Kill", facts(doom.alone)
        found = [self._desk.mirror.seen(each) for each in doom.concerned()]
        doomed = [each for each in found if each]
        named = [("App", doom.app_name)] if doom.app_name else []
        return f"Kill {sessions(len(doomed))}", [*named, *listing(doomed)]

    @cached_property
    def _kill(self) -> Question:
        text = "Reason (shown to the person at the session's page)"
        return Question(text=text, longest=REASON_LENGTH)

    @cached_property
    def _message(self) -> Question:
        return Question(text="Message", longest=MESSAGE_LENGTH, color="primary", required=True)

    @cached_property
    def _drain(self) -> Question:
        return Question(
            text="Reason (shown to the people at the app's pages)",
            longest=REASON_LENGTH,
            minutes="Minutes until the rest is killed (empty: never)",
            color="warning",
        )

    def _pose(self, question: Question, title: str, confirm: str, told: Pairs, act: Act) -> None:
        question.ask(title, confirm, told, act)
        if question.view not in self.dialogs.objects:  # open by now: a new one would miss it
            self.dialogs.append(question.view)

    async def _confirmed(self, reason: str | None, _: float | None) -> None:
        doom, desk = self._doom, self._desk
        if doom is None:
            return
        known = dict(desk.mirror.sessions)
        reached = await self._tried("Not killed", doom.kill(reason))
        if reached is None:
            return
        doomed = reached.session_ids
        desk.followed.follow(known[each] for each in doomed if each in known)
        of = f" of {doom.app_name}" if doom.app_name else ""
        whom = f"the session of {called(doom.alone)}" if doom.alone else sessions(len(doomed)) + of
        desk.notice.say(f"Kill ordered for {whom}.")
        desk.refresh()

    async def _tried(self, failed: str, order: Awaitable[T]) -> T | None:
        """Return the answer; tell what went wrong."""
        try:
            return await order
        except OperatorError as error:
            self._desk.notice.say(f"{failed}: {error}", "error")
            return None
