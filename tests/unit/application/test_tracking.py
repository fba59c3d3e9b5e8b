"""The app's side: what the link must send next, and what the reply confirms."""

import threading
from collections import Counter
from typing import Any

import pytest
from panel_session_monitor.application.tracking import (
    ENDINGS_KEPT,
    NEWS_PER_REPORT,
    SESSIONS_PER_REPORT,
    TrackedSession,
)
from panel_session_monitor.domain.ids import SessionId
from panel_session_monitor.domain.kill import KillState
from panel_session_monitor.domain.report import (
    Activity,
    Ending,
    KillStep,
    News,
    Order,
    Registration,
    Reply,
)
from panel_session_monitor.domain.session import EndReason
from panel_session_monitor.domain.task import Task

from ...fakes.clock import NOON
from ...fakes.examples import a_kill, a_process, ago, session_id
from .app import App


@pytest.fixture
def app() -> App:
    return App()


def news_of(app: App, kind: type[News] | None = None) -> list[News]:
    """Return the news that would be sent now."""
    return [each for each in app.tracking.draft(beat=False).report.news if _is(each, kind)]


def _is(news: News, kind: type[News] | None) -> bool:
    return kind is None or isinstance(news, kind)


def shown(app: App, session: TrackedSession) -> str | None:
    """Return the name of the task that the monitor shows."""
    stored = app.stored(session)
    return stored.task.name if stored and stored.task else None


# Sessions


def test_a_process_without_sessions_has_nothing_to_say(app: App) -> None:
    draft = app.tracking.draft(beat=True)

    assert not app.tracking.due()
    assert (draft.report.session_ids, draft.report.news) == ((), ())
    assert draft.report.process == a_process()


def test_a_new_session_is_registered_with_its_age(app: App) -> None:
    session = app.open(user_id="ada")
    app.clock.advance(12.5)

    draft = app.tracking.draft(beat=True)

    assert draft.report.session_ids == (session.session_id,)
    assert draft.report.news == (
        Registration(
            session_id=session.session_id,
            app_name="sales",
            user_id="ada",
            age=12.5,
            process=a_process(),
        ),
    )


def test_what_was_confirmed_is_not_told_again(app: App) -> None:
    session = app.open()
    app.tracking.begin(session, "Loading")
    app.exchange()

    assert not app.tracking.due()
    assert news_of(app) == []


def test_nothing_counts_as_told_before_the_reply(app: App) -> None:
    session = app.open()
    app.tracking.begin(session, "Loading")
    app.tracking.close(app.open())
    app.tracking.draft(beat=False)

    assert app.tracking.due()
    kinds = [type(each) for each in news_of(app)]
    assert kinds == [Registration, Activity, Ending]


def test_sessions_beat_only_when_asked_to(app: App) -> None:
    session = app.open()
    app.exchange()

    beating = app.tracking.draft(beat=True).report
    silent = app.tracking.draft(beat=False).report

    assert (beating.session_ids, silent.session_ids) == ((session.session_id,), ())


def test_a_session_that_is_over_neither_beats_nor_is_live(app: App) -> None:
    session = app.open()
    app.exchange()

    app.tracking.close(session)

    assert app.tracking.live() == []
    assert app.tracking.draft(beat=True).report.session_ids == ()


def test_every_note_wakes_the_link(app: App) -> None:
    woken: list[None] = []
    app.tracking.wake = lambda: woken.append(None)

    session = app.open()
    task = app.tracking.begin(session, "Loading")
    app.tracking.advance(session, task, 0.5)
    app.tracking.finish(session, task)
    app.tracking.acknowledge(session)
    app.tracking.close(session)

    assert len(woken) == 6


def test_a_forked_child_has_none_of_its_parents_sessions(app: App) -> None:
    session = app.open()
    app.tracking.begin(session, "Loading")
    app.tracking.close(app.open())
    app.tracking.wake = lambda: pytest.fail("the parent's link was woken")

    app.tracking.abandon()

    assert app.tracking.live() == []
    assert not app.tracking.due()
    app.open()
    assert len(news_of(app)) == 1


# Tasks


def test_a_task_is_told_with_its_age_and_progress(app: App) -> None:
    session = app.open()
    task = app.tracking.begin(session, "Loading")
    app.tracking.advance(session, task, 0.25)
    app.clock.advance(3)

    assert news_of(app, Activity) == [
        Activity(
            session_id=session.session_id, running=True, task="Loading", progress=0.25, age=3.0
        )
    ]


def test_many_changes_are_told_as_one(app: App) -> None:
    session = app.open()
    app.exchange()
    task = app.tracking.begin(session, "Loading")

    for percent in range(101):
        app.tracking.advance(session, task, percent / 100)

    told = news_of(app)
    assert len(told) == 1
    assert isinstance(told[0], Activity)
    assert told[0].progress == 1.0


def test_a_task_that_came_and_went_unseen_leaves_the_session_idle(app: App) -> None:
    session = app.open()
    app.exchange()

    app.tracking.finish(session, app.tracking.begin(session, "Loading"))
    app.exchange()

    assert shown(app, session) is None
    assert not app.tracking.due()


def test_the_innermost_of_nested_tasks_is_shown_and_the_outer_one_comes_back(app: App) -> None:
    session = app.open()
    outer = app.tracking.begin(session, "outer")
    app.clock.advance(10)
    names = []

    inner = app.tracking.begin(session, "inner")
    app.exchange()
    names.append(shown(app, session))
    app.clock.advance(5)
    app.tracking.finish(session, inner)
    app.exchange()
    names.append(shown(app, session))

    stored = app.stored(session)
    assert stored
    assert stored.task == Task(name="outer", started_at=NOON)
    app.tracking.finish(session, outer)
    app.exchange()
    assert [*names, shown(app, session)] == ["inner", "outer", None]


def test_a_session_runs_until_the_last_of_its_concurrent_tasks_has_ended(app: App) -> None:
    session = app.open()
    tasks = [app.tracking.begin(session, name) for name in ("first", "second", "third")]
    names = []

    for task in (tasks[0], tasks[2], tasks[1]):
        app.tracking.finish(session, task)
        app.exchange()
        names.append(shown(app, session))

    assert names == ["third", "second", None]


def test_tasks_of_the_same_name_are_told_apart(app: App) -> None:
    session = app.open()
    first = app.tracking.begin(session, "Loading")
    app.clock.advance(5)
    app.tracking.begin(session, "Loading")

    app.tracking.finish(session, first)
    app.exchange()

    stored = app.stored(session)
    assert stored
    assert stored.task == Task(name="Loading", started_at=ago(-5))


# Between draft and settle


def test_a_change_between_draft_and_reply_is_told_next(app: App) -> None:
    session = app.open()
    task = app.tracking.begin(session, "Loading")
    draft = app.tracking.draft(beat=False)
    reply = app.deliver(draft)

    app.tracking.advance(session, task, 0.5)
    app.tracking.settle(draft, reply)

    assert app.tracking.due()
    app.exchange()
    stored = app.stored(session)
    assert stored
    assert stored.task == Task(name="Loading", started_at=NOON, progress=0.5)


def test_a_task_that_ends_between_draft_and_reply_is_not_shown_for_ever(app: App) -> None:
    session = app.open()
    task = app.tracking.begin(session, "Loading")
    draft = app.tracking.draft(beat=False)
    reply = app.deliver(draft)

    app.tracking.finish(session, task)
    app.tracking.settle(draft, reply)
    app.exchange()

    assert shown(app, session) is None


def test_a_session_that_opens_between_draft_and_reply_is_registered_next(app: App) -> None:
    app.open()
    draft = app.tracking.draft(beat=False)
    reply = app.deliver(draft)

    later = app.open()
    app.tracking.settle(draft, reply)

    assert [each.session_id for each in news_of(app, Registration)] == [later.session_id]


def test_a_session_that_ends_between_draft_and_reply_is_ended_next(app: App) -> None:
    session = app.open()
    draft = app.tracking.draft(beat=True)
    reply = app.deliver(draft)

    app.tracking.close(session)
    app.tracking.settle(draft, reply)

    assert news_of(app) == [Ending(session_id=session.session_id, reason=EndReason.CLOSED)]
    app.exchange()
    assert app.live() == []


def test_a_report_whose_reply_got_lost_is_told_again_without_harm(app: App) -> None:
    session = app.open()
    app.tracking.begin(session, "Loading")
    app.tracking.close(app.open())
    app.deliver(app.tracking.draft(beat=True))

    app.exchange(beat=True)

    assert not app.tracking.due()
    assert app.live() == [session.session_id]
    assert shown(app, session) == "Loading"


# What the monitor does not know


def test_an_unknown_session_is_registered_again_with_its_true_age(app: App) -> None:
    session = app.open()
    task = app.tracking.begin(session, "Loading")
    app.tracking.advance(session, task, 0.5)
    app.exchange(beat=True)
    app.clock.advance(1000)
    app.lose_all()

    app.exchange(beat=True)
    assert app.tracking.due()
    app.exchange()

    stored = app.stored(session)
    assert stored
    assert stored.started_at == NOON
    assert stored.task == Task(name="Loading", started_at=NOON, progress=0.5)
    assert not app.tracking.due()


def test_an_unknown_session_that_is_idle_tells_no_more_than_that_it_exists(app: App) -> None:
    app.open()
    app.exchange(beat=True)
    app.lose_all()
    app.exchange(beat=True)

    assert [type(each) for each in news_of(app)] == [Registration]


def test_an_unknown_session_that_is_over_is_let_go(app: App) -> None:
    session = app.open()
    app.exchange()
    app.lose_all()

    app.tracking.close(session)
    app.exchange()

    assert not app.tracking.due()


def test_a_session_that_the_monitor_gave_up_goes_on_under_a_new_id(app: App) -> None:
    session = app.open()
    app.tracking.begin(session, "Loading")
    app.exchange(beat=True)
    old = session.session_id
    app.clock.advance(1000)
    app.expire_all()

    app.exchange(beat=True)
    app.exchange(beat=True)

    assert session.session_id != old
    assert app.live() == [session.session_id]
    stored = app.stored(session)
    assert stored
    assert stored.started_at == NOON
    assert stored.task == Task(name="Loading", started_at=NOON)
    assert app.tracking.live() == [session]
    assert not app.tracking.due()


def test_a_registration_that_comes_too_late_goes_on_under_a_new_id(app: App) -> None:
    session = app.open()
    app.deliver(app.tracking.draft(beat=True))
    old = session.session_id
    app.clock.advance(1000)
    app.expire_all()

    for _ in range(3):
        app.exchange(beat=True)

    assert session.session_id != old
    assert app.live() == [session.session_id]


def test_a_session_that_was_told_to_end_does_not_go_on(app: App) -> None:
    session = app.open()
    app.exchange(beat=True)
    app.kill(session)
    app.exchange(beat=True)
    old = session.session_id
    app.expire_all()

    app.exchange(beat=True)

    assert session.session_id == old
    app.tracking.close(session)
    app.exchange()
    assert app.live() == []


def test_a_killed_session_whose_registration_comes_too_late_is_not_registered_for_ever(
    app: App,
) -> None:
    session = app.open()
    draft = app.tracking.draft(beat=True)
    app.tracking.take(Order(session_id=session.session_id, kill_id=a_kill().kill_id))

    over = Reply(heartbeat_interval=30.0, ended=(session.session_id,))
    app.tracking.settle(draft, over)

    assert news_of(app, Registration) == []


def test_a_refused_registration_is_not_sent_in_a_loop(app: App) -> None:
    session = app.open(app_name="x" * 201)

    app.exchange(beat=True)

    assert app.live() == []
    assert not app.tracking.due()
    assert app.tracking.live() == [session]


def test_a_refused_session_tries_again_with_its_next_heartbeat(app: App) -> None:
    app.open(app_name="x" * 201)
    app.exchange(beat=True)

    app.exchange(beat=True)

    assert [type(each) for each in news_of(app)] == [Registration]


def test_ids_in_a_reply_that_nobody_asked_about_are_ignored(app: App) -> None:
    session = app.open()
    stranger = app.open()
    app.tracking.close(stranger)
    draft = app.tracking.draft(beat=True)
    order = Order(session_id=stranger.session_id, kill_id=a_kill().kill_id)

    orders = app.tracking.settle(
        draft,
        Reply(
            heartbeat_interval=30.0,
            unknown=(stranger.session_id,),
            ended=(stranger.session_id,),
            kill_requested=(order,),
        ),
    )

    assert orders == []
    assert app.tracking.live() == [session]
    assert not app.tracking.due()


# Kills


def test_an_order_is_handed_out_once(app: App) -> None:
    session = app.open()
    app.exchange(beat=True)
    kill = app.kill(session, reason="maintenance")

    handed_out = [app.exchange(beat=True) for _ in range(3)]

    assert handed_out == [[session], [], []]
    assert session.order == Order(
        session_id=session.session_id, kill_id=kill.kill_id, reason="maintenance"
    )


def test_an_order_that_was_pushed_is_not_handed_out_with_the_reply(app: App) -> None:
    session = app.open()
    app.exchange(beat=True)
    app.kill(session)
    draft = app.tracking.draft(beat=True)
    reply = app.deliver(draft)

    handed_out = [*app.push(), *app.push(), *app.tracking.settle(draft, reply)]

    assert handed_out == [session]
    assert [type(each) for each in news_of(app)] == [KillStep]


def test_a_pushed_order_for_nobody_here_changes_nothing(app: App) -> None:
    kill = a_kill()

    handed_out = app.tracking.take(Order(session_id=session_id(), kill_id=kill.kill_id))

    assert handed_out == []
    assert not app.tracking.due()


def test_the_delivery_of_an_order_is_reported_by_itself(app: App) -> None:
    session = app.open()
    app.exchange(beat=True)
    kill = app.kill(session)
    app.exchange(beat=True)

    assert news_of(app) == [
        KillStep(session_id=session.session_id, kill_id=kill.kill_id, state=KillState.DELIVERED)
    ]


def test_the_steps_of_a_kill_reach_the_monitor_one_by_one(app: App) -> None:
    session = app.open()
    app.exchange(beat=True)
    app.kill(session)
    states = []

    for note in (
        lambda: app.exchange(beat=True),
        lambda: None,
        lambda: app.tracking.acknowledge(session),
        lambda: app.tracking.close(session),
    ):
        note()
        app.exchange()
        stored = app.stored(session)
        assert stored
        assert stored.kill
        states.append(stored.kill.state)

    assert states == [
        KillState.DELIVERED,
        KillState.DELIVERED,
        KillState.ACKNOWLEDGED,
        KillState.ENDED,
    ]
    over = app.stored(session)
    assert over
    assert over.end
    assert over.end.reason is EndReason.KILLED
    assert not app.tracking.due()


def test_steps_that_follow_each_other_closely_are_told_as_the_last(app: App) -> None:
    session = app.open()
    app.exchange(beat=True)
    app.kill(session)
    app.exchange(beat=True)

    app.tracking.acknowledge(session)
    told = news_of(app)

    assert [each.state for each in told if isinstance(each, KillStep)] == [KillState.ACKNOWLEDGED]


def test_the_step_of_a_kill_that_is_ordered_anew_between_draft_and_reply_is_told_next(
    app: App,
) -> None:
    session = app.open()
    app.exchange(beat=True)
    kill = app.kill(session)
    app.exchange(beat=True)
    draft = app.tracking.draft(beat=False)

    anew = Order(session_id=session.session_id, kill_id=a_kill(7).kill_id)
    app.tracking.take(anew)
    app.tracking.settle(draft, Reply(heartbeat_interval=30.0))

    assert anew.kill_id != kill.kill_id
    assert news_of(app) == [
        KillStep(session_id=session.session_id, kill_id=anew.kill_id, state=KillState.DELIVERED)
    ]


def test_a_kill_that_is_ordered_anew_is_told_of_anew(app: App) -> None:
    session = app.open()
    app.exchange(beat=True)
    app.kill(session)
    app.exchange(beat=True)
    app.exchange()

    anew = Order(session_id=session.session_id, kill_id=a_kill(7).kill_id)
    handed_out = app.tracking.take(anew)

    assert handed_out == []
    assert news_of(app) == [
        KillStep(session_id=session.session_id, kill_id=anew.kill_id, state=KillState.DELIVERED)
    ]


def test_orders_that_come_both_ways_at_once_are_handed_out_once(app: App, hurry: None) -> None:
    sessions, ways = [app.open() for _ in range(500)], 4
    orders = [
        Order(session_id=each.session_id, kill_id=a_kill(number).kill_id)
        for number, each in enumerate(sessions)
    ]
    draft = app.tracking.draft(beat=True)
    reply = Reply(heartbeat_interval=30.0, kill_requested=tuple(orders))
    handed_out: list[TrackedSession] = []
    start = threading.Barrier(2 * ways)

    def by_stream() -> None:
        start.wait()
        for order in orders:
            handed_out.extend(app.tracking.take(order))

    def by_reply() -> None:
        start.wait()
        handed_out.extend(app.tracking.settle(draft, reply))

    workers = [threading.Thread(target=way) for way in (by_stream, by_reply) * ways]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert Counter(map(id, handed_out)) == Counter(map(id, sessions))


def test_a_step_taken_between_draft_and_reply_is_told_next(app: App) -> None:
    session = app.open()
    app.exchange(beat=True)
    app.kill(session)
    app.exchange(beat=True)
    draft = app.tracking.draft(beat=False)
    reply = app.deliver(draft)

    app.tracking.acknowledge(session)
    app.tracking.settle(draft, reply)

    assert [type(each) for each in news_of(app)] == [KillStep]


def test_a_step_that_was_not_told_before_the_end_is_told_with_it(app: App) -> None:
    session = app.open()
    app.exchange(beat=True)
    app.kill(session)
    app.exchange(beat=True)

    app.tracking.acknowledge(session)
    app.tracking.close(session)
    app.exchange()

    over = app.stored(session)
    assert over
    assert over.kill
    assert over.kill.ended_at == NOON
    assert over.kill.acknowledged_at == NOON


def test_an_order_that_meets_a_natural_end_is_not_obeyed(app: App) -> None:
    session = app.open()
    app.exchange(beat=True)
    app.kill(session)
    draft = app.tracking.draft(beat=True)
    reply = app.deliver(draft)

    app.tracking.close(session)
    orders = app.tracking.settle(draft, reply)

    assert orders == []
    app.exchange()
    over = app.stored(session)
    assert over
    assert over.end
    assert over.end.reason is EndReason.CLOSED


# Ends


def test_a_session_ends_once(app: App) -> None:
    session = app.open()

    closed = [app.tracking.close(session) for _ in range(3)]

    assert closed == [True, False, False]
    assert len(news_of(app, Ending)) == 1


def test_callbacks_are_handed_out_once_in_their_order(app: App) -> None:
    session = app.open()
    first, second = (lambda: 1), (lambda: 2)

    subscribed = [app.tracking.subscribe(session, each) for each in (first, second)]

    assert subscribed == [True, True]
    assert app.tracking.take_callbacks(session) == [first, second]
    assert app.tracking.take_callbacks(session) is None


def test_a_callback_that_comes_after_the_end_is_not_kept(app: App) -> None:
    session = app.open()
    app.tracking.take_callbacks(session)

    assert not app.tracking.subscribe(session, lambda: None)
    assert app.tracking.take_callbacks(session) is None


def test_callbacks_are_handed_out_once_also_to_many_threads_at_once(app: App) -> None:
    session, threads = app.open(), 8
    callbacks = [lambda number=number: number for number in range(100)]
    taken: list[Any] = []
    start = threading.Barrier(threads)

    def subscribe_and_take(share: list[Any]) -> None:
        start.wait()
        taken.extend(each for each in share if not app.tracking.subscribe(session, each))
        taken.extend(app.tracking.take_callbacks(session) or [])

    workers = [
        threading.Thread(target=subscribe_and_take, args=[callbacks[number::threads]])
        for number in range(threads)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert Counter(taken) == Counter(callbacks)


def test_ends_are_kept_while_the_monitor_is_away_up_to_a_bound(app: App) -> None:
    sessions = [app.open() for _ in range(ENDINGS_KEPT + 5)]
    for session in sessions:
        app.tracking.close(session)

    told: list[Any] = []
    while app.tracking.due():
        told += [each.session_id for each in news_of(app, Ending)]
        app.exchange()

    assert told == [each.session_id for each in sessions[5:]]


def test_ends_that_are_dropped_while_a_report_is_under_way_do_no_harm(app: App) -> None:
    for _ in range(ENDINGS_KEPT):
        app.tracking.close(app.open())
    draft = app.tracking.draft(beat=False)
    reply = app.deliver(draft)
    later = [app.open() for _ in range(3)]

    for session in later:
        app.tracking.close(session)
    app.tracking.settle(draft, reply)

    told: list[Any] = []
    while app.tracking.due():
        told += [each.session_id for each in news_of(app, Ending)]
        app.exchange()
    assert told[-3:] == [each.session_id for each in later]
    assert len(told) == ENDINGS_KEPT - NEWS_PER_REPORT + 3


# Large processes


def test_many_registrations_are_spread_over_several_reports(app: App) -> None:
    sessions = [app.open() for _ in range(2 * NEWS_PER_REPORT + 1)]
    sizes = []

    while app.tracking.due():
        sizes.append(len(news_of(app, Registration)))
        app.exchange()

    assert sizes == [NEWS_PER_REPORT, NEWS_PER_REPORT, 1]
    assert app.live() == [each.session_id for each in sessions]


def test_much_activity_is_spread_over_several_reports(app: App) -> None:
    sessions = [app.open() for _ in range(NEWS_PER_REPORT + 1)]
    app.exchange_all()
    for session in sessions:
        app.tracking.begin(session, "Loading")
    sizes = []

    while app.tracking.due():
        sizes.append(len(news_of(app, Activity)))
        app.exchange()

    assert sizes == [NEWS_PER_REPORT, 1]
    assert {shown(app, each) for each in sessions[:3] + sessions[-3:]} == {"Loading"}


def test_the_steps_of_many_kills_are_spread_over_several_reports(app: App) -> None:
    sessions = [app.open() for _ in range(NEWS_PER_REPORT + 1)]
    app.exchange_all()
    for number, session in enumerate(sessions):
        kill = a_kill(number).kill_id
        app.tracking.take(Order(session_id=session.session_id, kill_id=kill))
    sizes = []

    while app.tracking.due():
        sizes.append(len(news_of(app, KillStep)))
        app.exchange()

    assert sizes == [NEWS_PER_REPORT, 1]


def test_sessions_that_change_all_the_time_do_not_keep_the_others_from_being_told(app: App) -> None:
    restless = [app.open() for _ in range(NEWS_PER_REPORT)]
    quiet = app.open()
    app.exchange_all()
    for session in (*restless, quiet):
        app.tracking.begin(session, "Loading")

    for _ in range(2):
        draft = app.tracking.draft(beat=False)
        for session in restless:
            app.tracking.advance(session, session.tasks[-1], 0.5)
        app.tracking.settle(draft, app.deliver(draft))

    assert shown(app, quiet) == "Loading"


def test_nothing_is_told_of_a_session_before_it_is_registered(app: App) -> None:
    for _ in range(NEWS_PER_REPORT + 1):
        app.tracking.begin(app.open(), "Loading")

    report = app.tracking.draft(beat=True).report

    registered = {each.session_id for each in report.news if isinstance(each, Registration)}
    active = {each.session_id for each in report.news if isinstance(each, Activity)}
    assert set(report.session_ids) == active == registered
    assert len(registered) == NEWS_PER_REPORT


@pytest.fixture(scope="module")
def crowded() -> App:
    """A process with a few sessions more than one report may name."""
    app = App()
    for _ in range(SESSIONS_PER_REPORT + 3):
        app.open()
    app.exchange_all()
    return app


def test_a_report_names_no_more_sessions_than_the_monitor_takes(crowded: App) -> None:
    report = crowded.tracking.draft(beat=True).report

    assert len(report.session_ids) == SESSIONS_PER_REPORT


def test_every_session_beats_however_many_there_are(crowded: App) -> None:
    named: set[SessionId] = set()

    for beat in (True, False):  # what one report cannot name, the next one does
        assert beat or crowded.tracking.due()
        draft = crowded.tracking.draft(beat=beat)
        crowded.tracking.settle(draft, Reply(heartbeat_interval=30.0))
        named.update(draft.report.session_ids)

    assert len(named) == SESSIONS_PER_REPORT + 3
