"""What a type checker sees of the public interface; checked by mypy, never run."""

from collections.abc import Iterator
from typing import assert_type
from uuid import UUID

from panel_session_monitor import SessionClient, SessionKilled, Task, Tracker
from panel_session_monitor.pool import Stop, Work, get_manager, get_pool


async def measure(item: str, stop: Stop) -> float:
    return 0.0 if stop.is_set() else float(len(item))


def size(item: str, stop: Stop) -> int:
    return len(item)


async def use() -> None:
    tracker = SessionClient.get_tracker("app", user_id="ada", heartbeat_interval=5.0)
    assert_type(tracker, Tracker)
    assert_type(tracker.session_id, UUID)
    assert_type(tracker.online, bool)
    assert_type(tracker.kill_requested, bool)
    with tracker.task("work") as task:
        assert_type(task, Task)
        assert_type(task.progress, float | None)
        task.progress = 0.5
    async with tracker.task("work") as asynchronous:
        assert_type(asynchronous, Task)
    try:
        with tracker.task("work", interruptible=True) as interruptible:
            assert_type(interruptible, Task)
        async with tracker.task("work", interruptible=True):
            pass
    except SessionKilled as killed:
        assert_type(killed, SessionKilled)
    assert_type(tracker.track([1, 2], "count"), Iterator[int])
    async with tracker.task("batch") as batch, tracker.pool() as pooled:
        assert_type(pooled, Work)
        assert_type(await pooled.map(measure, ["a"], task=batch), list[float])
        assert_type(await pooled.apply(size, "a"), int)
        assert_type(await pooled.apply(measure, "a", task=batch), float)
    assert_type(await get_pool().apply(measure, ("a", get_manager().Event())), float)

    @tracker.on_kill
    def stop() -> int:
        return 1

    assert_type(stop(), int)
