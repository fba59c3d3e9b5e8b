"""Whatever happens between an app and its monitor, and in whatever order, nothing stays wrong."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st
from panel_session_monitor.application.tracking import Draft, RunningTask, TrackedSession
from panel_session_monitor.domain.report import Activity, Reply

from ...fakes.clock import NOON
from .app import App

T = TypeVar("T")


def one_of(things: list[T], number: int) -> list[T]:
    """Return the thing that a number stands for, where there is any."""
    return [things[number % len(things)]] if things else []


class Story:
    """An app and a monitor to which things happen; a number says to which session or task."""

    def __init__(self) -> None:
        self.app = App()
        self.began = self.app.clock.monotonic()
        self.sessions: list[TrackedSession] = []
        self.tasks: list[tuple[TrackedSession, RunningTask]] = []
        self.draft: Draft | None = None
        self.reply: Reply | None = None

    # In the app

    def open(self, number: int) -> None:
        self.sessions.append(self.app.open())

    def begin(self, number: int) -> None:
        for session in one_of(self.sessions, number):
            self.tasks.append((session, self.app.tracking.begin(session, f"task {number}")))

    def advance(self, number: int) -> None:
        for session, task in one_of(self.tasks, number):
            self.app.tracking.advance(session, task, number / 7)

    def finish(self, number: int) -> None:
        for session, task in one_of(self.tasks, number):
            self.tasks.remove((session, task))
            self.app.tracking.finish(session, task)

    def acknowledge(self, number: int) -> None:
        for session in one_of(self.sessions, number):
            if session.order:
                self.app.tracking.acknowledge(session)

    def close(self, number: int) -> None:
        for session in one_of(self.sessions, number):
            self.app.tracking.close(session)

    # Between the two

    def write_report(self, number: int) -> None:
        self.draft, self.reply = self.app.tracking.draft(beat=number % 2 == 0), None

    def deliver_report(self, number: int) -> None:
        if self.draft:
            self.reply = self.app.deliver(self.draft)

    def take_reply(self, number: int) -> None:
        if self.draft and self.reply:
            self.app.tracking.settle(self.draft, self.reply)
            self.draft = self.reply = None

    def push_orders(self, number: int) -> None:
        self.app.push()

    def report(self, number: int) -> None:
        self.draft = self.reply = None
        self.app.exchange(beat=number % 2 == 0)

    def report_while_the_app_works(self, number: int) -> None:
        self.write_report(number)
        self.deliver_report(number)
        for change in (self.begin, self.advance, self.finish)[number % 3 :]:
            change(number)
        self.take_reply(number)

    # At the monitor

    def kill(self, number: int) -> None:
        for session in one_of(self.sessions, number):
            if session.session_id in self.app.live():
                self.app.kill(session)

    def forget(self, number: int) -> None:
        self.app.lose_all()

    def expire(self, number: int) -> None:
        self.app.expire_all()

    def pass_time(self, number: int) -> None:
        if self.draft is None or self.reply:  # a report on its way arrives at once: it bears ages
            self.app.clock.advance(number)

    def comes_to_rest(self) -> None:
        """Let the app report until there is nothing left to tell."""
        for _ in range(5):
            self.app.exchange(beat=True)

    def start_of(self, session: TrackedSession) -> object:
        """Return when a session was opened, by the wall clock."""
        return NOON + timedelta(seconds=session.since - self.began)


STEPS: list[Callable[[Story, int], None]] = [
    Story.open,
    Story.begin,
    Story.advance,
    Story.finish,
    Story.acknowledge,
    Story.close,
    Story.write_report,
    Story.deliver_report,
    Story.take_reply,
    Story.push_orders,
    Story.report,
    Story.report_while_the_app_works,
    Story.kill,
    Story.forget,
    Story.expire,
    Story.pass_time,
]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 7)), min_size=5, max_size=60))
def test_whatever_happens_the_monitor_ends_up_knowing_the_last_state(
    steps: list[tuple[Callable[[Story, int], None], int]],
) -> None:
    story = Story()
    for step, number in steps:
        step(story, number)

    story.comes_to_rest()

    app, alive = story.app, story.app.tracking.live()
    assert not app.tracking.due()
    assert set(app.live()) <= {session.session_id for session in alive}
    for session in alive:
        stored = app.stored(session)
        assert stored
        if session.order and stored.end:
            continue  # the monitor gave it up, and here it is about to end
        last = session.tasks[-1] if session.tasks else None
        told = stored.task and (stored.task.name, stored.task.progress)
        assert told == (last and (last.name, last.progress))
        assert stored.started_at == story.start_of(session)
        assert not stored.end


@given(st.lists(st.sampled_from(["begin", "finish first", "finish last"]), max_size=30))
def test_a_session_is_running_exactly_while_it_has_a_task(steps: list[str]) -> None:
    app = App()
    session = app.open()
    tasks: list[RunningTask] = []
    for step in ["begin", *steps]:
        if step == "begin":
            tasks.append(app.tracking.begin(session, f"task {len(tasks)}"))
        elif tasks:
            app.tracking.finish(session, tasks.pop(0 if step == "finish first" else -1))

    news = app.tracking.draft(beat=False).report.news

    (told,) = [each for each in news if isinstance(each, Activity)]
    assert told.running is bool(tasks)
    assert told.task == (tasks[-1].name if tasks else None)
