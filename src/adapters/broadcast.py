"""Changes and pokes, from those who store to those who stream, within one event loop."""

import asyncio
import re
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from ..application.ports import Event, Listener
from ..domain.change import Change, Heard
from ..domain.ids import ProcessId

KEPT_CHANGES = 10_000
"""Most changes that are kept for readers who are behind or come back."""

KEPT_IDS = 200_000
"""Most ids that the heartbeats among them may name: some 25 MB, whoever beats and how often."""

AT_ONCE = 500
"""Most events that a reader is given at a time."""


NUMBER = re.compile("[0-9]{1,18}")


class RingChangeFeed:
    """A ChangeFeed that keeps the latest changes once for all; a reader is only a place in it.

    Positions hold `epoch`, which must be new with every start: nobody here has seen what was
    stored between two lives of the server, so that a position of another life is not known.
    """

    def __init__(
        self, epoch: UUID, *, kept_changes: int = KEPT_CHANGES, kept_ids: int = KEPT_IDS
    ) -> None:
        self._epoch = epoch.hex
        self._kept_changes = kept_changes
        self._kept_ids = kept_ids
        self._events: deque[Event] = deque()
        self._published = 0
        self._ids = 0
        self._news = asyncio.Event()
        self._closed = False

    def publish(self, changes: Sequence[Change]) -> None:
        """Add changes and wake those who wait."""
        for change in changes:
            self._published += 1
            self._ids += _ids_in(change)
            self._events.append(Event(position=self.position(), change=change))
        while len(self._events) > self._kept_changes or self._ids > self._kept_ids:
            self._ids -= _ids_in(self._events.popleft().change)
        self._wake()

    def position(self) -> str:
        """Return the place after the last change."""
        return f"{self._epoch}-{self._published}"

    async def after(self, position: str) -> Sequence[Event]:
        """Return the events after a position, at most AT_ONCE; may be cancelled without loss."""
        while not self._closed:
            behind = self._behind(position)
            if behind is None:
                return (Event(position=self.position(), change=None),)
            if behind:
                first = len(self._events) - behind
                return [self._events[first + each] for each in range(min(behind, AT_ONCE))]
            await self._news.wait()
        return ()

    def close(self) -> None:
        """End every wait, now and in future."""
        self._closed = True
        self._wake()

    def _behind(self, position: str) -> int | None:
        """Return how many changes came after a position, if they are all here."""
        epoch, _, number = position.rpartition("-")
        if epoch != self._epoch or not NUMBER.fullmatch(number):
            return None
        behind = self._published - int(number)
        return behind if 0 <= behind <= len(self._events) else None

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def _ids_in(change: Change | None) -> int:
    if not isinstance(change, Heard):
        return 0
    return len(change.session_ids) + len(change.process_ids)


class LocalKillChannel:
    """A KillChannel among the streams of one process."""

    def __init__(self) -> None:
        self._listeners: dict[ProcessId, set[_LocalListener]] = {}
        self._closed = False

    def poke(self, process_ids: Collection[ProcessId]) -> None:
        """Wake those who listen for these processes."""
        for process_id in process_ids:
            for listener in self._listeners.get(process_id, ()):
                listener.wake()

    @contextmanager
    def listen(self, process_id: ProcessId) -> Iterator[Listener]:
        """Listen for a process while the block lasts."""
        listener = _LocalListener(self)
        together = self._listeners.setdefault(process_id, set())
        together.add(listener)
        try:
            yield listener
        finally:
            together.discard(listener)
            if not together:
                del self._listeners[process_id]

    @property
    def listeners(self) -> int:
        """How many listen."""
        return sum(map(len, self._listeners.values()))

    @property
    def closed(self) -> bool:
        """Whether nobody will be woken any more."""
        return self._closed

    def close(self) -> None:
        """End every wait, now and in future."""
        self._closed = True
        self.poke(self._listeners)


class _LocalListener:
    __slots__ = ("_channel", "_poked")

    def __init__(self, channel: LocalKillChannel) -> None:
        self._channel = channel
        self._poked = asyncio.Event()

    def wake(self) -> None:
        self._poked.set()

    async def poked(self) -> bool:
        """Wait for a poke since the last call; may be cancelled without loss."""
        if not self._channel.closed:
            await self._poked.wait()
            self._poked.clear()
        return not self._channel.closed
