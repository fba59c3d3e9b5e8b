"""What is said of sessions and numbers, in words. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from ...domain.kill import Kill, KillState
from ...domain.session import Process
from ...domain.staleness import Observation

NONE = "—"
"""What stands for absent text."""

LISTED = 10
"""How many of the sessions that an order concerns are named one by one."""

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))

Pairs = list[tuple[str, str]]


def span(seconds: float) -> str:
    """Return a span in its two greatest units: `42 s`, `3 min 5 s`, `2 d 1 h`."""
    rest = int(seconds)
    for (large, size), (small, step) in pairwise(_UNITS):
        if rest >= size:
            return f"{rest // size} {large} {rest % size // step} {small}"
    return f"{rest} s"


def sessions(number: int) -> str:
    """Return a number of sessions."""
    return f"{number:,} session{'' if number == 1 else 's'}"


def called(seen: Observation) -> str:
    """Return how people call a session: ids begin with their time, so their ends tell more."""
    session = seen.session
    user = f"{session.user_id} in " if session.user_id else ""
    return f"{user}{session.app_name} ({str(session.session_id)[-8:]})"


def served_by(process: Process | None) -> str:
    """Return where a session lives."""
    return f"{process.host or '?'}:{process.pid or '?'}" if process else NONE


def facts(seen: Observation) -> Pairs:
    """Return what an operator wants to know of a session before ending it."""
    session = seen.session
    task = session.task
    working = f" for {span(seen.task_seconds)}" if seen.task_seconds is not None else ""
    return [
        ("App", session.app_name),
        ("User", session.user_id or NONE),
        ("Status", f"{seen.status}{working}"),
        ("Task", task.name if task and task.name else NONE),
        ("Started", f"{span(seen.duration_seconds)} ago"),
        ("Last heartbeat", f"{span(seen.seconds_since_heartbeat)} ago"),
        ("Process", served_by(session.process)),
        ("Session", str(session.session_id)),
    ]


def listing(doomed: Sequence[Observation]) -> Pairs:
    """Return the number of sessions that an order concerns, and the first of them."""
    named = [
        (
            seen.session.user_id or NONE,
            f"{seen.session.app_name}, {seen.status}, up for {span(seen.duration_seconds)}",
        )
        for seen in doomed[:LISTED]
    ]
    rest = [("…", f"and {len(doomed) - LISTED:,} more")] if len(doomed) > LISTED else []
    return [("Concerns", sessions(len(doomed))), *named, *rest]


def kill_state(kill: Kill, *, overdue: bool) -> str:
    """Tell how far a kill has come, and whether it is late."""
    return f"{kill.state} · overdue" if overdue else kill.state.value


REMEDIES = {
    KillState.REQUESTED: "Its process has not taken the order. It obeys as soon as it reaches the "
    "server again; until then only stopping the process ends the session.",
    KillState.DELIVERED: "The app's callbacks are still running, or the app's code holds the event "
    "loop. If that lasts, stop the process.",
    KillState.ACKNOWLEDGED: "The callbacks have run, but the page is still open. If that lasts, "
    "stop the process.",
}
"""What can be done about a kill whose next step is overdue."""
