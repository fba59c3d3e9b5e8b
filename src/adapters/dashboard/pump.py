"""The pump: keeps the mirror at the server's state while anybody watches."""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from ...application.backoff import Backoff
from ...application.operator_ports import ChangesMissed, Operator, OperatorError
from .mirror import Mirror, Touched

log = logging.getLogger(__name__)

JUDGE_EVERY = 1.0
"""Seconds between two looks at what time alone has changed."""

PATIENCE = 45.0
"""Longest silence of the server, in seconds; a stream that stands says so every few seconds."""

LONGEST_BACKOFF = 5.0

Tell = Callable[[Touched], None]


@dataclass(kw_only=True)
class Pump:
    """Looks once, then follows the changes; whatever fails is begun again.

    With a `problem`, in a line for people, the server is out of reach and the mirror grows old.
    """

    operator: Operator
    mirror: Mirror
    random: Callable[[], float]
    patience: float = PATIENCE
    judge_every: float = JUDGE_EVERY
    problem: str | None = None
    backoff: Backoff = field(init=False)
    _heard_at: float = 0.0
    _viewers: list[Tell] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.random)

    @property
    def age(self) -> float:
        """How long ago the server was last heard of, in seconds."""
        return self.mirror.clock.monotonic() - self._heard_at

    def watch(self, tell: Tell) -> Callable[[], None]:
        """Call `tell` with all that changes; return what ends that.

        Must be called where an event loop runs. Nothing runs while nobody watches.
        """
        self._viewers.append(tell)
        if not self._tasks:
            # A context of its own: else the tasks would belong to the first viewer's session.
            loop, context = asyncio.get_running_loop(), contextvars.Context()
            self._tasks = [
                loop.create_task(each, context=context) for each in (self._follow(), self._judge())
            ]

        def leave() -> None:
            if tell in self._viewers:
                self._viewers.remove(tell)
            if not self._viewers:
                for task in self._tasks:
                    task.cancel()
                self._tasks = []

        return leave

    async def _follow(self) -> None:
        while True:
            try:
                await self._look()
            except ChangesMissed:
                log.info("Changes were missed; the sessions are read anew")
            except OperatorError as error:
                self._failed(str(error))
            except TimeoutError:
                self._failed(f"no answer within {self.patience:.0f} seconds")
            except Exception:
                log.exception("The sessions could not be read")
                self._failed("an unexpected error; the dashboard's log has the details")
            await asyncio.sleep(self.backoff.missed(LONGEST_BACKOFF))

    async def _look(self) -> None:
        """Read all, then follow the stream until it is lost."""
        async with asyncio.timeout(self.patience):
            look = await self.operator.look()
        self._well(self.mirror.take(look))
        self.backoff.reset()
        changes = self.operator.changes(look.position)
        while True:
            async with asyncio.timeout(self.patience):
                change = await anext(changes)
            self._well(self.mirror.apply(change) if change else Touched())

    async def _judge(self) -> None:
        """Tell what time alone has changed, and, while there is a problem, its age."""
        while True:
            await asyncio.sleep(self.judge_every)
            self._tell(Touched() if self.problem else self.mirror.judge())

    def _well(self, touched: Touched) -> None:
        self.problem, self._heard_at = None, self.mirror.clock.monotonic()
        self._tell(touched)

    def _failed(self, problem: str) -> None:
        self.problem = problem
        self._tell(Touched())

    def _tell(self, touched: Touched) -> None:
        for tell in tuple(self._viewers):
            tell(touched)
