"""The page of one session."""

import panel as pn

from ....application.operator_ports import OperatorError
from ....domain.event import SessionEvent
from ....domain.ids import SessionId
from ....domain.session import Session
from ....domain.staleness import Observation
from ..components.facts import Facts
from ..components.listing import Listing
from ..components.strip import Strip
from ..components.timeline import Timeline
from ..components.toolbar import Tool, Toolbar
from ..desk import Desk
from ..mirror import Touched
from ..orders import Orders
from ..place import Place
from ..rows import milliseconds
from ..story import kill_steps, tasks
from ..words import NONE, facts, span

EVENTS = [("When", "time"), ("What", "text"), ("Of what", "text"), ("By", "text")]
STEPS = [("Step", "text"), ("When", "time")]


class SessionPage:
    """Facts, tasks as a timeline, every event, the steps of its kill; message and kill."""

    def __init__(self, desk: Desk, orders: Orders) -> None:
        self._desk, self._orders = desk, orders
        self._seen: Observation | None = None
        self._events: list[SessionEvent] = []
        self._stale = True
        self._said = Strip(closable=False)
        self._facts = Facts(sizing_mode="stretch_width", margin=(8, 10))
        self._tools = Toolbar({"back": self._back, "message": self._messages, "kill": self._kills})
        self._timeline = Timeline(sizing_mode="stretch_width", margin=(8, 10))
        self._steps = Listing(label="Kill", columns=STEPS, sizing_mode="stretch_width")
        self._life = Listing(
            label="What has happened",
            columns=EVENTS,
            empty="Nothing is known of its life.",
            sizing_mode="stretch_width",
        )
        self.view = pn.Column(
            self._tools,
            self._said,
            self._facts,
            self._timeline,
            self._steps,
            self._life,
            sizing_mode="stretch_both",
            scroll=True,
        )

    @property
    def _id(self) -> SessionId | None:
        return self._desk.place.session_id

    def enter(self, place: Place) -> None:
        """Begin with another session."""
        if place.session_id and (not self._seen or self._of() != place.session_id):
            self._seen, self._events, self._stale = None, [], True
            self._tell()

    def show(self, touched: Touched) -> None:
        """Show the session as it is; what has happened is asked for when something has."""
        if self._desk.place.page != "session" or self._id is None:
            return
        self._seen = self._desk.mirror.seen(self._id) or self._seen
        if self._stale or self._id in touched.changed:
            self._stale = False
            self._desk.send(self._ask(self._id))
        self._tell()

    async def _ask(self, session_id: SessionId) -> None:
        try:
            seen = await self._desk.operator.session(session_id)
            events = await self._desk.operator.events(session_id)
        except OperatorError as error:
            self._said.say(f"Nothing can be told of session {session_id}: {error}", "warning")
            return
        self._said.text = ""
        if session_id == self._id:
            self._seen, self._events = seen, events
            self._tell()

    def _tell(self) -> None:
        seen = self._seen
        live = bool(seen and not seen.session.end)
        killed = bool(seen and seen.session.kill)
        self._tools.offer(
            Tool("back", "All sessions", "back"),
            Tool("message", "Message", "chat") if live else None,
            Tool("kill", "Kill this session", danger=True) if live and not killed else None,
        )
        self._facts.rows = told(seen) if seen else []
        self._steps.rows = kill_steps(seen) if seen else []
        self._steps.visible = bool(self._steps.rows)
        self._timeline.param.update(tasks(self._events, seen))
        self._life.rows = [
            [
                str(at),
                milliseconds(event.at),
                event.kind.value,
                event.text or NONE,
                event.by or NONE,
            ]
            for at, event in enumerate(self._events)
        ]

    def _of(self) -> SessionId | None:
        return self._seen.session.session_id if self._seen else None

    def _kills(self) -> None:
        if self._id:
            self._orders.kill_one(self._id)

    def _messages(self) -> None:
        if self._id:
            self._orders.message(session_id=self._id)

    def _back(self) -> None:
        place = self._desk.place
        self._desk.go(Place(query=place.query, layout=place.layout))


def told(seen: Observation) -> list[tuple[str, str]]:
    """Return the facts; of a session that is over, how long it lived and how it ended."""
    session: Session = seen.session
    if session.end is None:
        return facts(seen)
    lasting = [fact for fact in facts(seen) if fact[0] in ("App", "User", "Process", "Session")]
    return [
        ("Status", f"ended: {session.end.reason}"),
        ("Lived for", span(seen.duration_seconds)),
        *lasting,
    ]
