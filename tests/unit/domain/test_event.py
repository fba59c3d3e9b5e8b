"""What has happened between two snapshots of a session."""

from datetime import datetime
from typing import Any

import pytest
from panel_session_monitor.domain.event import EventKind, between
from panel_session_monitor.domain.session import End, EndReason

from ...fakes.clock import NOON
from ...fakes.examples import a_kill, a_process, a_session, a_task, ago, seconds, session_id

Told = tuple[str, datetime, str | None, str | None]

LATER = NOON + seconds(30)
EARLIER = a_task(name="Load", started_at=ago(60))
NEXT = a_task(name="Plot", started_at=ago(10))
ORDER = a_kill(requested_at=ago(9), reason="Noon", requested_by="ada")
CLOSED = End(at=NOON, reason=EndReason.CLOSED)


def told(before: dict[str, Any] | None, after: dict[str, Any], now: datetime = NOON) -> list[Told]:
    """Return the events between a session with these fields and one with those."""
    known = None if before is None else a_session(**before)
    events = list(between(known, a_session(**after), now))
    assert {each.session_id for each in events} <= {session_id()}
    return [(each.kind.value, each.at, each.text, each.by) for each in events]


def test_a_new_session_was_opened_when_it_began() -> None:
    assert told(None, {}) == [("opened", ago(3600), None, None)]


@pytest.mark.parametrize(
    ("process", "served"),
    [
        ({}, "node-a:4711"),
        ({"host": None}, "?:4711"),
        ({"pid": None}, "node-a:?"),
    ],
)
def test_a_new_session_says_where_it_is_served(process: dict[str, Any], served: str) -> None:
    (opened,) = told(None, {"process": a_process(**process)})

    assert opened == ("opened", ago(3600), served, None)


def test_a_new_session_may_have_done_it_all_already() -> None:
    kill = a_kill(requested_at=ago(9), delivered_at=ago(8), acknowledged_at=ago(7))

    happened = told(None, {"kill": kill, "end": End(at=NOON, reason=EndReason.KILLED)})

    assert [kind for kind, *_ in happened] == [
        "opened",
        "kill requested",
        "kill delivered",
        "kill acknowledged",
        "killed",
    ]


TASKS: dict[str, tuple[dict[str, Any], dict[str, Any], list[Told]]] = {
    "none goes on": ({}, {}, []),
    "one begins": ({}, {"task": EARLIER}, [("task started", ago(60), "Load", None)]),
    "progress alone": ({"task": EARLIER}, {"task": a_task(name="Load", progress=0.9)}, []),
    "one ends": ({"task": EARLIER}, {}, [("task ended", NOON, "Load", None)]),
    "another follows": (
        {"task": EARLIER},
        {"task": NEXT},
        [("task ended", ago(10), "Load", None), ("task started", ago(10), "Plot", None)],
    ),
    "the same begins again": (
        {"task": EARLIER},
        {"task": a_task(name="Load", started_at=ago(5))},
        [("task ended", ago(5), "Load", None), ("task started", ago(5), "Load", None)],
    ),
    "one without a name": (
        {},
        {"task": a_task(name=None)},
        [("task started", ago(60), None, None)],
    ),
    "the outer one comes back": (
        {"task": NEXT},
        {"task": EARLIER},
        [("task ended", ago(10), "Plot", None), ("task started", ago(60), "Load", None)],
    ),
}


@pytest.mark.parametrize(("before", "after", "events"), TASKS.values(), ids=TASKS.keys())
def test_tasks_begin_and_end(
    before: dict[str, Any], after: dict[str, Any], events: list[Told]
) -> None:
    assert told(before, after) == events


DELIVERED = ORDER.delivered(ago(8))
KILLS: dict[str, tuple[dict[str, Any], dict[str, Any], list[Told]]] = {
    "ordered": ({}, {"kill": ORDER}, [("kill requested", ago(9), "Noon", "ada")]),
    "ordered again": ({"kill": ORDER}, {"kill": ORDER}, []),
    "delivered": (
        {"kill": ORDER},
        {"kill": DELIVERED},
        [("kill delivered", ago(8), None, None)],
    ),
    "acknowledged": (
        {"kill": DELIVERED},
        {"kill": DELIVERED.acknowledged(ago(7))},
        [("kill acknowledged", ago(7), None, None)],
    ),
    "acknowledged at once": (
        {"kill": ORDER},
        {"kill": ORDER.acknowledged(ago(7))},
        [("kill delivered", ago(7), None, None), ("kill acknowledged", ago(7), None, None)],
    ),
}


@pytest.mark.parametrize(("before", "after", "events"), KILLS.values(), ids=KILLS.keys())
def test_a_kill_takes_its_steps(
    before: dict[str, Any], after: dict[str, Any], events: list[Told]
) -> None:
    assert told(before, after) == events


@pytest.mark.parametrize("reason", EndReason)
def test_an_end_is_told_by_its_reason_after_the_task_that_it_ends(reason: EndReason) -> None:
    end = End(at=NOON, reason=reason)

    happened = told({"task": EARLIER}, {"end": end}, LATER)

    assert happened == [
        ("task ended", NOON, "Load", None),
        (EventKind(reason.value).value, NOON, None, None),
    ]


def test_what_has_ended_ends_once() -> None:
    assert told({"end": CLOSED}, {"end": CLOSED}) == []


def test_a_session_moves_to_another_process() -> None:
    mine, other = a_process(1), a_process(2, host="node-b", pid=7)

    assert told({"process": mine}, {"process": other}) == [("moved", NOON, "node-b:7", None)]
    assert told({}, {"process": mine}) == [("moved", NOON, "node-a:4711", None)]
    assert told({"process": mine}, {"process": mine}) == []
    assert told({"process": mine}, {"process": a_process(1, host="renamed")}) == []
