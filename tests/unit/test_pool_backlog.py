"""Jobs that wait for a worker: their owners take turns."""

from panel_session_monitor.adapters.pool.members import Backlog, Job
from panel_session_monitor.application.parcels import packed
from panel_session_monitor.application.pool_ports import Call

from ..support import work


def a_job(owner: str, number: int) -> Job:
    call = Call(function=work.double, args=(number,), owner=owner)
    return Job(call=call, number=number, parcel=packed(call))


def taken(backlog: Backlog) -> list[tuple[object, int]]:
    """Take all."""
    jobs = [backlog.pop() for _ in range(len(backlog))]
    return [(job.call.owner, job.number) for job in jobs]


def test_owners_take_turns_and_each_ones_jobs_stay_in_order() -> None:
    backlog = Backlog()
    for owner, number in [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("c", 5), ("b", 6)]:
        backlog.add(a_job(owner, number))

    assert taken(backlog) == [("a", 1), ("b", 4), ("c", 5), ("a", 2), ("b", 6), ("a", 3)]
    assert not backlog


def test_a_job_may_be_forgotten_once() -> None:
    backlog = Backlog()
    jobs = [a_job(owner, number) for number, owner in enumerate("aab")]
    for job in jobs:
        backlog.add(job)

    for forgotten in (jobs[2], jobs[0], jobs[0], a_job("d", 9)):
        backlog.discard(forgotten)

    assert taken(backlog) == [("a", 1)]
