"""Storing heartbeats: those of one moment together, and a process's own as one row.

A process that beats for the same sessions as the last time is one row, however many they are: its
sessions are leased (see `tables`). Only when the set has changed are the sessions looked at: who
left keeps the last heartbeat it had, who came is leased.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, func, select, update

from ...application.ports import Beat, Beaten
from ...domain.ids import ProcessId, SessionId
from ...domain.kill import Kill
from ...domain.report import Figures
from ...domain.session import Process
from . import notices
from .rows import as_kill, kill_columns
from .sqlite import SqliteConnection, among, insert, listed
from .tables import LEASE_BYTES, UtcDateTime, killed, processes, sessions

Kills = Mapping[SessionId, Kill]


@dataclass(slots=True)
class Beats:
    """The heartbeats of one moment, on their way into the store."""

    connection: SqliteConnection
    now: datetime
    _leases: dict[ProcessId, tuple[bytes | None, datetime]] = field(default_factory=dict)
    _met: list[dict[str, Any]] = field(default_factory=list)
    _beating: list[dict[str, Any]] = field(default_factory=list)

    async def store(self, beats: Sequence[Beat]) -> list[Beaten]:
        """Store the beats and return what became of each."""
        single = {key for each in beats if each.process is None for key in each.session_ids}
        absent, kills = await self._hear(single)
        speaking = {each.process.process_id for each in beats if each.process}
        something_to_tell = False
        if speaking:
            found = await self.connection.execute(LEASES, {"processes": listed(speaking)})
            for row in found:
                self._leases[row.process_id] = (row.lease, row.last_heartbeat)
                something_to_tell |= row.something_to_tell
            something_to_tell |= len(self._leases) < len(speaking)  # new ones have no row yet
            kills |= await self._kills(KILLED_OF_PROCESSES, {"processes": listed(speaking)})
        beaten = [
            await self._speak(each.process, each, kills)
            if each.process
            else _beaten(each, [key for key in each.session_ids if key in absent], kills)
            for each in beats
        ]
        await self.connection.execute_many(MET, self._met)
        await self.connection.execute_many(BEATING, self._beating)
        return await self._told(beats, beaten) if something_to_tell else beaten

    async def _hear(self, ids: set[SessionId]) -> tuple[set[SessionId], dict[SessionId, Kill]]:
        """Note that sessions are alive; return those that are not, and the kills of the others."""
        if not ids:
            return set(), {}
        parameters = {"ids": listed(ids), "now": self.now}
        heard = await self.connection.execute(HEARD, parameters)
        absent: set[SessionId] = set()
        if heard.rowcount < len(ids):
            absent = ids - set(await self.connection.scalars(LIVE, parameters))
        return absent, await self._kills(KILLED, parameters)

    async def _speak(self, process: Process, beat: Beat, kills: Kills) -> Beaten:
        """Take the beat of a process; one without sessions says nothing of who is alive."""
        row = _row(process, beat.figures, self.now)
        if not beat.session_ids:
            self._met.append(row)
            return Beaten()
        lease: bytes | None = _digest(beat.session_ids)
        known, seen = self._leases.get(process.process_id, (None, self.now))
        if lease == known:
            beaten = _beaten(beat, [], kills, whole=True)
        else:
            beaten = await self._renew(process, beat, seen, kills)
            lease = lease if beaten.whole and not beaten.absent else None
        self._beating.append(row | {"lease": lease})
        self._leases[process.process_id] = (lease, self.now)
        return beaten

    async def _renew(self, process: Process, beat: Beat, seen: datetime, kills: Kills) -> Beaten:
        """Look at the sessions one by one; the process was last heard of when it was `seen`."""
        parameters = {
            "ids": listed(beat.session_ids),
            "process": process.process_id,
            "seen": seen,
            "now": self.now,
        }
        await self.connection.execute(LEFT, parameters)
        await self.connection.execute(CAME, parameters)
        leased = set(await self.connection.scalars(LEASED, parameters))
        others = {each for each in beat.session_ids if each not in leased}
        nobodys = set(await self.connection.scalars(LIVE_OF_NOBODY, {"ids": listed(others)}))
        _, kills_of_nobodys = await self._hear(nobodys)
        live = await self.connection.scalar(LIVE_OF_PROCESS, parameters)
        return _beaten(
            beat,
            [each for each in beat.session_ids if each in others and each not in nobodys],
            {**kills, **kills_of_nobodys},
            whole=live == len(leased) and not nobodys,
        )

    async def _told(self, beats: Sequence[Beat], beaten: list[Beaten]) -> list[Beaten]:
        """Add what the processes are to be told."""
        speaking = {each.process.process_id for each in beats if each.process}
        waiting = await notices.waiting(self.connection, speaking)
        drains = await notices.standing(self.connection)
        return [
            replace(result, messages=waiting[each.process.process_id], drains=drains)
            if each.process
            else result
            for each, result in zip(beats, beaten, strict=True)
        ]

    async def _kills(self, query: Any, parameters: Mapping[str, Any]) -> dict[SessionId, Kill]:
        found = await self.connection.execute(query, parameters)
        return {SessionId(row.session_id): kill for row in found if (kill := as_kill(row))}


def later(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the later of two moments."""
    return case((one < other, other), else_=one)


def _beaten(
    beat: Beat, absent: Iterable[SessionId], kills: Kills, *, whole: bool = False
) -> Beaten:
    missing = tuple(dict.fromkeys(absent))
    reached = kills and {key: kills[key] for key in beat.session_ids if key in kills}
    return Beaten(absent=missing, kills=reached, whole=whole)


def _digest(ids: Iterable[SessionId]) -> bytes:
    return blake2b(b"".join(each.bytes for each in ids), digest_size=LEASE_BYTES).digest()


def _row(process: Process, figures: Figures | None, now: datetime) -> dict[str, Any]:
    return asdict(figures or Figures()) | {
        "process_id": process.process_id,
        "host": process.host,
        "pid": process.pid,
        "started_at": now,
        "last_heartbeat": now,
    }


def _meeting(*fresh: str) -> Any:
    """Return the insert of a process; what it does not say of itself stays known."""
    statement = insert(processes)
    new, known = statement.excluded, processes.c
    kept = ("host", "pid", "version")
    told: dict[str, Any] = {name: func.coalesce(new[name], known[name]) for name in kept}
    if fresh:
        told["last_heartbeat"] = later(known.last_heartbeat, new.last_heartbeat)
    return statement.on_conflict_do_update(
        index_elements=[known.process_id], set_=told | {name: new[name] for name in fresh}
    )


_own = sessions.c
_killing = [_own.session_id, *kill_columns(sessions)]
_now, _seen = (bindparam(name, type_=UtcDateTime) for name in ("now", "seen"))
_ids = among(_own.session_id, "ids")
_of_process = _own.process_id == bindparam("process", type_=_own.process_id.type)

HEARD = update(sessions).where(_ids).values(last_heartbeat=later(_own.last_heartbeat, _now))
LIVE = select(_own.session_id).where(_ids)
KILLED = select(*_killing).where(_ids, killed)

LEASES = select(
    processes.c.process_id,
    processes.c.lease,
    processes.c.last_heartbeat,
    notices.ANY.label("something_to_tell"),
).where(among(processes.c.process_id, "processes"))
KILLED_OF_PROCESSES = select(*_killing).where(among(_own.process_id, "processes"), killed)
LEFT = (
    update(sessions)
    .where(_of_process, _own.leased, ~_ids)
    .values(leased=False, last_heartbeat=later(_own.last_heartbeat, _seen))
)
CAME = (
    update(sessions)
    .where(_of_process, ~_own.leased, _ids)
    .values(leased=True, last_heartbeat=later(_own.last_heartbeat, _now))
)
LEASED = select(_own.session_id).where(_of_process, _own.leased)
LIVE_OF_PROCESS = select(func.count()).select_from(sessions).where(_of_process)
LIVE_OF_NOBODY = select(_own.session_id).where(_ids, _own.process_id.is_(None))
MET = _meeting()
BEATING = _meeting("lease", "connected", "rss_bytes", "cpu_percent", "loop_lag_seconds")
