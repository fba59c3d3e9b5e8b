"""Who gets which call: sessions take turns, and workers get what the others have least of."""

from collections.abc import Collection
from math import ceil

from .members import MOST, Backlog, Job, Kind, Member, State

STAFF = (State.STARTING, State.READY)
"""Whose places are taken by others when they go."""


class Dispatch:
    """The calls that wait for a worker, and those that one has."""

    def __init__(self, members: Collection[Member]) -> None:
        self._members = members
        self._backlogs = {kind: Backlog() for kind in MOST}
        self._given: dict[int, Job] = {}
        self.over = False

    def take(self, jobs: list[Job]) -> None:
        """Have workers do jobs, the next ones that are free."""
        for job in jobs:
            if not job.future.done():
                self._backlogs[job.kind].add(job)
        self.distribute()

    def forget(self, job: Job) -> None:
        """Let a job wait no longer."""
        self._backlogs[job.kind].discard(job)

    def given(self, number: int) -> Job | None:
        """Return the job of a number, if a worker has it."""
        return self._given.get(number)

    def take_back(self, number: int) -> Job:
        """Return the job of a number, which its worker has no more."""
        job = self._given.pop(number)
        assert job.member
        job.member.jobs[job.kind].discard(job)
        job.member = None
        return job

    def distribute(self) -> None:
        """Give each call to the worker that has the fewest of its kind."""
        staff = [each for each in self._members if each.state in STAFF]
        there = [each for each in staff if each.state is State.READY]
        for kind, backlog in self._backlogs.items():
            most = self._most(kind, staff, there)
            while backlog and there and not self.over:
                member = min(there, key=lambda each: each.load(kind))
                if member.load(kind) >= most:
                    break
                self._hand_out(backlog.pop(), member)

    def _most(self, kind: Kind, staff: list[Member], there: list[Member]) -> int:
        """Return how many calls a worker may have: those that are starting are left their share."""
        if len(there) == len(staff):
            return MOST[kind]
        calls = len(self._backlogs[kind]) + sum(each.load(kind) for each in there)
        return min(MOST[kind], ceil(calls / len(staff)))

    def _hand_out(self, job: Job, member: Member) -> None:
        job.member = member
        member.jobs[job.kind].add(job)
        self._given[job.number] = job
        member.send("call", job.number, *job.parcel)
