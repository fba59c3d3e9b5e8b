"""What an app's own code holds of its session."""

from collections.abc import Iterator

import pytest
from panel_session_monitor.adapters.interruption import Interruptions, raiser
from panel_session_monitor.application.app_ports import SessionKilled
from panel_session_monitor.application.tracker import Tracker
from panel_session_monitor.application.tracking import TrackedSession
from panel_session_monitor.domain.session import Session

from .app import App


class Tracked(App):
    """An app with one session, whose reports are sent by hand."""

    __slots__ = ("session", "tracker")

    session: TrackedSession
    tracker: Tracker

    def told(self) -> Session:
        """Report, and return what the monitor knows then."""
        self.exchange()
        stored = self.stored(self.session)
        assert stored
        return stored

    def shown(self) -> tuple[str | None, float | None] | None:
        """Report, and return the task that the monitor shows, with its progress."""
        task = self.told().task
        return (task.name, task.progress) if task else None


@pytest.fixture
def app() -> Tracked:
    app = Tracked()
    link = app.linked(lambda: 0.0)
    app.tracking.wake = lambda: None
    app.session = app.open(user_id="ada")
    app.tracker = Tracker(link, app.session, Interruptions(raiser()))
    return app


def test_a_tracker_knows_its_session(app: Tracked) -> None:
    tracker = app.tracker

    assert (tracker.app_name, tracker.user_id) == ("sales", "ada")
    assert tracker.session_id == app.session.session_id
    assert str(tracker.session_id) in repr(tracker)


def test_a_task_is_shown_while_its_block_runs(app: Tracked) -> None:
    with app.tracker.task("Loading") as task:
        begun = app.shown()
        task.progress = 0.4
        advanced = app.shown()

    assert (begun, advanced, app.shown()) == (("Loading", None), ("Loading", 0.4), None)
    assert task.progress is None


async def test_a_task_works_asynchronously_too(app: Tracked) -> None:
    async with app.tracker.task("Loading") as task:
        task.progress = 0.4
        running = list(app.session.tasks)

    assert [(each.name, each.progress) for each in running] == [("Loading", 0.4)]
    assert app.session.tasks == []


def test_nested_tasks_are_shown_from_the_inside(app: Tracked) -> None:
    with app.tracker.task("outer"):
        with app.tracker.task("inner"):
            inside = app.shown()
        outside = app.shown()

    assert (inside, outside, app.shown()) == (("inner", None), ("outer", None), None)


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt(), SystemExit(1)])
def test_an_exception_passes_through_unchanged_and_the_task_is_over(
    app: Tracked, error: BaseException
) -> None:
    with pytest.raises(type(error)) as raised, app.tracker.task("Loading"):
        raise error

    assert raised.value is error
    assert app.shown() is None


@pytest.mark.parametrize(
    ("given", "shown"), [(0, 0), (1, 1), (-0.5, 0), (1.7, 1), (float("inf"), 1), (True, 1)]
)
def test_progress_is_kept_within_its_bounds(app: Tracked, given: float, shown: float) -> None:
    with app.tracker.task("Loading") as task:
        task.progress = given

        assert app.shown() == ("Loading", shown)


def test_progress_that_is_no_number_does_not_hide_the_task(app: Tracked) -> None:
    with app.tracker.task("Loading") as task:
        task.progress = float("nan")

        assert app.shown() == ("Loading", None)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("two\nlines", "two lines"), ("x" * 300, "x" * 200), ("", "task"), ("\ud800", "task")],
)
def test_any_name_of_a_task_is_made_fit(app: Tracked, name: str, shown: str) -> None:
    with app.tracker.task(name):
        assert app.shown() == (shown, None)


def test_a_task_that_is_entered_again_within_itself_is_over_after_both(app: Tracked) -> None:
    task = app.tracker.task("Loading")

    with task, task:
        inside = app.shown()

    assert inside == ("Loading", None)
    assert app.shown() is None


def test_progress_outside_the_block_is_ignored(app: Tracked) -> None:
    task = app.tracker.task("Loading")

    task.progress = 0.5

    assert task.progress is None
    assert app.shown() is None


def test_tracking_an_iterable_yields_its_items_and_reports_how_far_it_is(app: Tracked) -> None:
    seen = [(item, app.shown()) for item in app.tracker.track(["a", "b", "c", "d"], "Loading")]

    assert seen == [
        ("a", ("Loading", None)),
        ("b", ("Loading", 0.25)),
        ("c", ("Loading", 0.5)),
        ("d", ("Loading", 0.75)),
    ]
    assert app.shown() is None


def items() -> Iterator[int]:
    """Yield three items, without telling how many there are."""
    yield from (1, 2, 3)


@pytest.mark.parametrize(
    ("total", "progress"), [(None, [None] * 3), (2, [None, 0.5, 1.0]), (0, [None] * 3)]
)
def test_an_iterable_without_a_length_may_be_given_one(
    app: Tracked, total: int | None, progress: list[float | None]
) -> None:
    seen = [app.shown() for _ in app.tracker.track(items(), "Loading", total)]

    assert seen == [("Loading", each) for each in progress]


def test_an_iteration_that_is_left_early_ends_the_task(app: Tracked) -> None:
    iteration = app.tracker.track([1, 2, 3], "Loading")
    next(iteration)
    running = app.shown()

    iteration.close()  # type: ignore[attr-defined]  # it is a generator

    assert (running, app.shown()) == (("Loading", None), None)


def test_a_session_is_online_once_the_monitor_has_taken_it() -> None:
    app = App()
    link = app.linked(lambda: 0.0)
    app.tracking.wake = lambda: None
    tracker = Tracker(link, app.open(), Interruptions(None))

    before = tracker.online
    app.exchange()
    link.online = True

    assert (before, tracker.online) == (False, True)


def test_a_kill_is_visible_to_the_app(app: Tracked) -> None:
    app.told()
    before = app.tracker.kill_requested

    app.kill(app.session)
    app.exchange(beat=True)

    assert (before, app.tracker.kill_requested) == (False, True)


def test_an_interruptible_task_is_shown_and_ends_with_a_kill(app: Tracked) -> None:
    def load() -> None:
        with app.tracker.task("Loading", interruptible=True) as task:
            task.progress = 0.4
            shown.append(app.shown())
            app.session.blocks.interrupt()

    shown: list[object] = []

    with pytest.raises(SessionKilled):
        load()

    assert shown == [("Loading", 0.4)]
    assert app.shown() is None


def test_on_kill_is_a_decorator_too(app: Tracked) -> None:
    @app.tracker.on_kill
    def stop() -> None:
        """Do nothing."""

    assert app.tracking.take_callbacks(app.session) == [stop]


def test_a_callback_that_comes_after_the_end_runs_at_once(app: Tracked) -> None:
    app.tracking.take_callbacks(app.session)
    runs: list[None] = []

    app.tracker.on_kill(lambda: runs.append(None))

    assert len(runs) == 1
