"""A demo app: its sessions share a worker pool, and a kill stops the work of one of them.

Run it with `panel serve src/entrypoints/demo/pool.py --port 5002`, or all with `psm demo`.
"""

import asyncio
from statistics import mean

import panel as pn
import panel_material_ui as pmui
from bokeh.io import curdoc
from panel_session_monitor import SessionClient, Task
from panel_session_monitor.entrypoints.demo.estimate_pi import Sample, estimate_pi
from panel_session_monitor.pool import PoolError, Work, count_processes

ITEMS = 6
REFRESH = 200
"""Time between two looks at how far the items are, in milliseconds."""

STATES = {
    "ready": "default",
    "waiting": "default",
    "running": "primary",
    "done": "success",
    "stopped": "warning",
}
"""The states of an item, and their colours."""

CENTRED = {"align": "center", "margin": 0}

pn.extension(
    disconnect_notification="This session was ended. Reload the page to start a new one.",
    notifications=True,
)

tracker = SessionClient.get_tracker(app_name="pool-demo")


class Item:
    """One piece of the work, and what the page shows of it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.progress: float | None = None
        """Set by a thread of the pool, as a task's would be; `refresh` shows it."""

        self._result = pmui.Typography("", variant="body2", color="text.secondary", **CENTRED)
        self._state = pmui.Chip("ready", size="small", variant="outlined", **CENTRED)
        self._bar = pmui.LinearProgress(
            value=0, variant="determinate", sizing_mode="stretch_width", margin=(6, 0, 0, 0)
        )
        self.view = pmui.Column(
            pmui.FlexBox(
                pmui.Typography(f"Estimate {number}", styles={"flex": "1"}, **CENTRED),
                self._result,
                self._state,
                gap="0.6em",
                flex_wrap="nowrap",
            ),
            self._bar,
            sizing_mode="stretch_width",
            margin=(8, 0),
        )

    def wait(self) -> None:
        """Show that it has not begun."""
        self.progress = None
        self._result.object = ""
        self._show("waiting", fraction=0)

    async def compute(self, work: Work, seconds: float) -> float:
        """Have it computed in the pool (raises CancelledError, PoolError)."""
        sample = Sample(seed=self.number, seconds=seconds)
        estimate = await work.apply(estimate_pi, sample, task=self)
        assert estimate  # who is told to stop gets no result
        self._result.object = f"{estimate.value:.4f} · PID {estimate.pid}"
        self._show("done", fraction=1)
        return estimate.value

    def stop(self) -> None:
        """Show that it will not be finished, if it is not."""
        if self.unfinished:
            self._show("stopped", fraction=self.progress or 0)

    def refresh(self) -> None:
        """Show how far it is."""
        if self.unfinished and self.progress is not None:
            self._show("running", fraction=self.progress)

    @property
    def unfinished(self) -> bool:
        """Whether it waits or runs."""
        return self._state.label in {"waiting", "running"}

    def _show(self, state: str, fraction: float) -> None:
        color = STATES[state]
        variant = "outlined" if color == "default" else "filled"
        self._state.param.update(label=state, color=color, variant=variant)
        self._bar.param.update(value=100 * fraction, color=color)


class Batch:
    """All items of this page, which are computed together."""

    def __init__(self) -> None:
        self.items = [Item(number) for number in range(1, ITEMS + 1)]
        self._task: Task | None = None
        self._running: asyncio.Task[float] | None = None

    async def compute(self, seconds: float) -> float:
        """Return the mean of all estimates (raises CancelledError, PoolError)."""
        self._running = asyncio.ensure_future(self._compute(seconds))
        return await self._running

    def stop(self) -> None:
        """Stop what waits and runs, if anything does."""
        if self._running:
            self._running.cancel()

    def refresh(self) -> None:
        """Show how far it is, here and at the monitor."""
        for each in self.items:
            each.refresh()
        if self._task:
            self._task.progress = mean(each.progress or 0 for each in self.items)

    async def _compute(self, seconds: float) -> float:
        for each in self.items:
            each.wait()
        try:
            async with tracker.task("Estimating π") as self._task, tracker.pool() as work:
                return mean(
                    await asyncio.gather(*(each.compute(work, seconds) for each in self.items))
                )
        finally:
            for each in self.items:
                each.stop()


batch = Batch()
state = pmui.Alert(
    object="Nothing is running.",
    severity="info",
    sizing_mode="stretch_width",
    margin=10,
    sx={"& .MuiAlertTitle-root": {"display": "none"}, "& .MuiAlert-message p": {"margin": 0}},
)
workers = pmui.Chip("", icon="memory", size="small", variant="outlined", **CENTRED)
seconds = pmui.RadioButtonGroup(
    options={"2 s": 2, "5 s": 5, "20 s": 20},
    value=5,
    size="small",
    sx={"& .MuiToggleButton-root": {"textTransform": "none", "whiteSpace": "nowrap"}},
    **CENTRED,
)
start = pmui.Button(label="Start", icon="play_arrow", variant="contained", **CENTRED)
stop = pmui.Button(label="Stop", icon="stop", color="error", disabled=True, **CENTRED)


def say(text: str, severity: str = "info") -> None:
    """Tell the person at the page."""
    state.param.update(object=text, severity=severity)


async def run(_: object) -> None:
    """Compute all items and tell how it ends."""
    if start.disabled:  # pressed twice
        return
    start.disabled, stop.disabled = True, False
    say("Estimating π …")
    try:
        pi = await batch.compute(seconds.value)
    except asyncio.CancelledError:
        if not tracker.kill_requested:
            say("Stopped.", "warning")
    except PoolError as error:
        say(f"Failed: {error}", "error")
    else:
        say(f"Done: π is about {pi:.4f}, the mean of all.", "success")
    finally:
        start.disabled, stop.disabled = False, True


@tracker.on_kill
async def tell() -> None:
    """Say it at the page before its connection is closed; the pool stops the work by itself."""
    say("Stopped: this session is being ended.", "error")


def refresh() -> None:
    """Show how far all is, and how many processes the pool has."""
    batch.refresh()
    count = count_processes()
    workers.label = f"Pool: {count or 'no'} process{'es' * (count != 1)}"


start.on_click(run)
stop.on_click(lambda _: batch.stop())
refresh()
document = curdoc()


def keep_fresh() -> None:
    """Begin to refresh; Panel's own periodic callbacks would tell all pages that it is busy."""
    document.add_periodic_callback(refresh, REFRESH)


pn.state.onload(keep_fresh)  # not before: components miss what changes while they are made

pmui.Page(
    title="Demo app: worker pool",
    busy_indicator=None,
    main=[
        pmui.Container(
            pmui.Typography(
                "All sessions of this app share a pool of worker processes. Open the page twice, "
                "start both, and end one of them at the dashboard: the other one goes on."
            ),
            pmui.FlexBox(
                pmui.Typography("Time for each", **CENTRED),
                seconds,
                start,
                stop,
                workers,
                gap="0.8em",
                margin=10,
            ),
            state,
            pmui.Paper(
                *(each.view for each in batch.items),
                variant="outlined",
                sizing_mode="stretch_width",
                margin=10,
                sx={"padding": "8px 16px"},
            ),
            pmui.Typography(f"Session {tracker.session_id}", variant="caption"),
            width_option="md",
        )
    ],
).servable()
