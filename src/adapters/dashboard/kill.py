"""The dialogs that end sessions: one, or all of an app."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import panel as pn

from ...application.operator_ports import Operator, OperatorError
from ...domain.ids import REASON_LENGTH
from ...domain.staleness import Observation
from .feed import Snapshot
from .library import pmui
from .rows import NONE, span
from .texts import Facts, Strip

LISTED = 10
"""How many of the sessions to be ended are named one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What a viewer may order, in whose name, and where the outcome is told."""

    operator: Operator
    requested_by: str | None
    notice: Strip
    hurry: Callable[[], None]


class Question:
    """A dialog that asks before it acts: facts, a reason, Cancel and a red button."""

    def __init__(self, title: str, act: Callable[[str | None], Awaitable[None]]) -> None:
        self._act = act
        self.facts = Facts(sizing_mode="stretch_width", margin=(0, 10, 14, 10))
        self.reason = pmui.TextInput(
            label="Reason (shown to the person at the session's page)",
            max_length=REASON_LENGTH,
            sizing_mode="stretch_width",
        )
        self.confirm = pmui.Button(label="Kill", color="error", variant="contained")
        self.confirm.on_click(self._confirmed)
        cancel = pmui.Button(label="Cancel", variant="text", color="default")
        cancel.on_click(lambda _: self.close())
        self.view = pmui.Dialog(
            self.facts,
            self.reason,
            pn.Row(
                cancel,
                self.confirm,
                sizing_mode="stretch_width",
                styles={"justify-content": "flex-end"},
            ),
            title=title,
            title_variant="h5",
            width_option="sm",
            sizing_mode="stretch_width",
        )

    def open(self) -> None:
        """Ask."""
        self.reason.value = ""
        self.confirm.disabled = False
        self.view.open = True

    def close(self) -> None:
        """Ask no more."""
        self.view.open = False

    async def _confirmed(self, _: object) -> None:
        self.confirm.disabled = True  # a second click must not order again
        try:
            await self._act((self.reason.value or "").strip() or None)
        finally:
            self.close()


class KillOne:
    """Ends one session and follows it to its end."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._snapshot = Snapshot()
        self._asked: Observation | None = None
        self._followed: dict[str, Observation] = {}
        self._question = Question("Kill this session?", self._kill)
        self.dialog = self._question.view

    def ask(self, session_id: str) -> None:
        """Open the dialog for the session."""
        self._asked = _by_id(self._snapshot).get(session_id)
        if self._asked is None:
            self._orders.notice.say("This session has already ended.", "warning")
            return
        self._question.facts.rows = facts(self._asked)
        self._question.open()

    def show(self, snapshot: Snapshot) -> None:
        """Tell when a session that was killed from here is gone."""
        self._snapshot = snapshot
        if snapshot.problem:
            return
        gone = self._followed.keys() - _by_id(snapshot).keys()
        for session_id in gone:
            ended = self._followed.pop(session_id)
            self._orders.notice.say(f"Over: the session of {called(ended)}.", "success")

    async def _kill(self, reason: str | None) -> None:
        assert self._asked is not None
        asked, orders = self._asked, self._orders
        session_id = asked.session.session_id
        try:
            await orders.operator.kill(session_id, reason=reason, requested_by=orders.requested_by)
        except OperatorError as error:
            orders.notice.say(f"Not killed: {error}", "error")
        else:
            self._followed[str(session_id)] = asked
            orders.notice.say(f"Kill ordered for the session of {called(asked)}.")
        orders.hurry()


class KillAll:
    """Ends every session of an app."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._snapshot = Snapshot()
        self._asked: str | None = None
        self._followed: dict[str, frozenset[str]] = {}
        self._question = Question("Kill all sessions of an app?", self._kill)
        self._app = pmui.Select(
            label="App", options=[], size="small", width=210, align="center", margin=(0, 8)
        )
        self._app.param.watch(lambda _: self._count(), "value")
        self._button = pmui.Button(
            label="Kill all",
            color="error",
            variant="outlined",
            disabled=True,
            align="center",
            margin=0,
        )
        self._button.on_click(lambda _: self._ask())
        self.controls = (self._app, self._button)
        self.dialog = self._question.view

    def show(self, snapshot: Snapshot) -> None:
        """Offer the apps there are, and keep the numbers right, also while asking."""
        self._snapshot = snapshot
        apps = sorted({seen.session.app_name for seen in snapshot.sessions}, key=str.casefold)
        if apps != self._app.options:
            kept = self._app.value if self._app.value in apps else next(iter(apps), None)
            self._app.param.update(options=apps, value=kept)
        for control in self.controls:
            control.visible = bool(apps)
        self._count()
        self._follow()

    def _follow(self) -> None:
        """Tell when all sessions that were killed from here are gone."""
        live = _by_id(self._snapshot).keys()
        for app, doomed in [*self._followed.items()] if not self._snapshot.problem else []:
            if not doomed & live:
                del self._followed[app]
                self._orders.notice.say(f"Over: {sessions(len(doomed))} of {app}.", "success")

    def _of(self, app: str | None) -> list[Observation]:
        return [seen for seen in self._snapshot.sessions if seen.session.app_name == app]

    def _count(self) -> None:
        offered = self._of(self._app.value)
        self._button.param.update(
            label=f"Kill all · {sessions(len(offered))}", disabled=not offered
        )
        if self._question.view.open and self._asked is not None:
            doomed = self._of(self._asked)
            self._question.confirm.label = f"Kill {sessions(len(doomed))}"
            self._question.facts.rows = listing(self._asked, doomed)

    def _ask(self) -> None:
        """Ask about the app that is chosen now; the choice may move on while the dialog is open."""
        self._asked = str(self._app.value)
        self._question.open()
        self._count()

    async def _kill(self, reason: str | None) -> None:
        assert self._asked is not None
        app, orders = self._asked, self._orders
        try:
            reached = await orders.operator.kill_all(
                app, reason=reason, requested_by=orders.requested_by
            )
        except OperatorError as error:
            orders.notice.say(f"Not killed: {error}", "error")
        else:
            number = sessions(len(reached.session_ids))
            if reached.session_ids:
                self._followed[app] = frozenset(map(str, reached.session_ids))
            orders.notice.say(f"Kill ordered for {number} of {app}.")
        orders.hurry()


def facts(seen: Observation) -> list[tuple[str, str]]:
    """Return what an operator wants to know of a session before ending it."""
    session = seen.session
    task, process = session.task, session.process
    working = f" for {span(seen.task_seconds)}" if seen.task_seconds is not None else ""
    return [
        ("App", session.app_name),
        ("User", session.user_id or NONE),
        ("Status", f"{seen.status}{working}"),
        ("Task", task.name if task and task.name else NONE),
        ("Started", f"{span(seen.duration_seconds)} ago"),
        ("Last heartbeat", f"{span(seen.seconds_since_heartbeat)} ago"),
        ("Process", f"{process.host or '?'}, pid {process.pid or '?'}" if process else NONE),
        ("Session", str(session.session_id)),
    ]


def listing(app: str, doomed: Sequence[Observation]) -> list[tuple[str, str]]:
    """Return the number of sessions that an order to end all of `app` ends, and the first."""
    named = [
        (seen.session.user_id or NONE, f"{seen.status}, up for {span(seen.duration_seconds)}")
        for seen in doomed[:LISTED]
    ]
    rest = [("…", f"and {len(doomed) - LISTED} more")] if len(doomed) > LISTED else []
    return [("App", app), ("Ends", sessions(len(doomed))), *named, *rest]


def called(seen: Observation) -> str:
    """Return how people call a session: ids begin with their time, so their ends tell more."""
    session = seen.session
    user = f"{session.user_id} in " if session.user_id else ""
    return f"{user}{session.app_name} ({str(session.session_id)[-8:]})"


def sessions(number: int) -> str:
    """Return a number of sessions in words."""
    return f"{number} session{'' if number == 1 else 's'}"


def _by_id(snapshot: Snapshot) -> dict[str, Observation]:
    return {str(seen.session.session_id): seen for seen in snapshot.sessions}
