"""What an operator sees of processes."""

import click
from rich.console import Console
from rich.text import Text

from ...adapters.wire.processes import ProcessView
from ...application.ports import LiveProcess
from ...domain.staleness import elapsed
from ..settings import Settings
from .asking import a_table, ask, print_json, reaches_server, span
from .options import as_json

MEBIBYTE = 1 << 20


@click.group()
def processes() -> None:
    """The processes that serve sessions."""


@processes.command("list")
@reaches_server
@as_json
def list_processes(settings: Settings, as_json: bool) -> None:
    """List the processes that serve sessions, or did so lately."""
    seen = ask(settings, lambda at: at.processes())
    if as_json:
        print_json([ProcessView.of(each, seen.at) for each in seen.processes])
        return
    table = a_table("PROCESS", "SESSIONS", "SILENT", "STREAM", "MEMORY", "CPU", "LAG", "VERSION")
    for each in seen.processes:
        silence = span(elapsed(each.last_heartbeat, seen.at))
        name = f"{each.process.host or '?'}:{each.process.pid or '?'}"
        table.add_row(Text(name), str(each.sessions), silence, *_figures(each))
    Console().print(table) if seen.processes else click.echo("No processes.")


def _figures(seen: LiveProcess) -> list[Text]:
    told = seen.figures
    return [
        Text("open" if told.connected else "none", style="" if told.connected else "red"),
        Text("" if told.rss_bytes is None else f"{told.rss_bytes // MEBIBYTE} MiB"),
        Text("" if told.cpu_percent is None else f"{told.cpu_percent:.0f} %"),
        Text("" if told.loop_lag_seconds is None else f"{1000 * told.loop_lag_seconds:.0f} ms"),
        Text(told.version or ""),
    ]
