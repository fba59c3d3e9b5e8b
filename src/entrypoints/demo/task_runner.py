"""A demo app: buttons that start tasks, which the dashboard shows and a kill cancels.

Run it with `panel serve src/entrypoints/demo/task_runner.py --port 5001`, or all with `psm demo`.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable

import panel as pn
import panel_material_ui as pmui
from panel_session_monitor import SessionClient, Task

STEP = 0.1
"""Time between two looks at the stop signal, in seconds."""

pn.extension(
    disconnect_notification="This session was ended. Reload the page to start a new one.",
    notifications=True,
)

name = os.environ.get("PSM_DEMO_APP", "task-runner")  # noqa: TID251  # a script of its own
tracker = SessionClient.get_tracker(app_name=name)
stopping = asyncio.Event()

state = pmui.Alert(object="Nothing is running.", severity="info", sizing_mode="stretch_width")
bar = pmui.LinearProgress(value=0, variant="determinate", sizing_mode="stretch_width")


def say(text: str, severity: str = "info") -> None:
    """Tell the person at the page."""
    state.param.update(object=text, severity=severity)


@tracker.on_kill
async def cancel() -> None:
    """Stop what runs; the page shows it before its connection is closed."""
    stopping.set()
    say("Cancelled: this session is being ended.", "error")


async def work(seconds: float, task: Task) -> None:
    """Pretend to work, with an eye on the stop signal (raises CancelledError)."""
    steps = round(seconds / STEP)
    for step in range(steps):
        if stopping.is_set():
            raise asyncio.CancelledError
        await asyncio.sleep(STEP)
        task.progress = (step + 1) / steps
        bar.value = 100 * (step + 1) / steps


async def single(seconds: float) -> None:
    """Run one task."""
    async with tracker.task(f"Work of {seconds:g} seconds") as task:
        await work(seconds, task)


async def nested() -> None:
    """Run a task that has others within it: the innermost is shown."""
    async with tracker.task("Monthly report") as report:
        for part, step in enumerate(("Load data", "Fit model", "Draw charts"), start=1):
            async with tracker.task(step) as task:
                await work(4, task)
            report.progress = part / 3


async def failing() -> None:
    """Run a task that raises: the status goes back to idle all the same."""
    async with tracker.task("Divide by zero") as task:
        await work(2, task)
        _ = 1 / 0


def starts(job: Callable[[], Awaitable[None]], label: str) -> Callable[[object], Awaitable[None]]:
    """Return what a button does: run `job` and tell how it ends."""

    async def run(_: object) -> None:
        stopping.clear()
        say(f"{label} …")
        try:
            await job()
        except asyncio.CancelledError:
            if not tracker.kill_requested:
                say(f"{label}: stopped.", "warning")
        except ZeroDivisionError as error:
            say(f"{label}: failed ({error}).", "error")
        else:
            say(f"{label}: done.", "success")

    return run


JOBS = {
    "5 seconds": lambda: single(5),
    "30 seconds": lambda: single(30),
    "5 minutes": lambda: single(300),
    "Nested": nested,
    "Failing": failing,
}

buttons = [
    pmui.Button(label=label, on_click=starts(job, label), variant="outlined")
    for label, job in JOBS.items()
]
stop = pmui.Button(label="Stop", on_click=lambda _: stopping.set(), color="error")

pmui.Page(
    title=f"Demo app: {name}",
    main=[
        pmui.Container(
            pmui.Typography(
                "Start a task, then look at the dashboard, and end this session there."
            ),
            pmui.FlexBox(*buttons, stop, gap="0.6em"),
            bar,
            state,
            pmui.Typography(f"Session {tracker.session_id}", variant="caption"),
        )
    ],
).servable()
