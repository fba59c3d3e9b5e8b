"""What an operator does with sessions from a terminal."""

from uuid import UUID

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...adapters.wire.sessions import SessionView
from ...domain.ids import SessionId
from ...domain.staleness import Observation, Status
from ..settings import Settings
from .asking import a_table, ask, me, print_json, reaches_server, span, tell_sent, with_reason
from .options import as_json

WIDTHS = {"SESSION": 36, "STATUS": 7}
"""Columns that are never cut, in characters: one is needed to kill, the other to see why."""

COLOURS = {Status.IDLE: "green", Status.RUNNING: "yellow", Status.STALE: "red"}


@click.group()
def sessions() -> None:
    """The live sessions."""


@sessions.command("list")
@reaches_server
@click.option("--app", "app_name", help="Only of this app.")
@click.option("--user", "user_id", help="Only of this user.")
@click.option("--status", type=click.Choice(["idle", "running", "stale"]), help="Only with it.")
@as_json
def list_sessions(
    settings: Settings,
    app_name: str | None,
    user_id: str | None,
    status: str | None,
    as_json: bool,
) -> None:
    """List the live sessions."""
    wanted = Status(status) if status else None
    seen = ask(settings, lambda at: at.sessions(app_name=app_name, user_id=user_id, status=wanted))
    if as_json:
        print_json([SessionView.of(each) for each in seen])
    elif seen:
        Console().print(_table(seen))
    else:
        click.echo("No sessions.")


@sessions.command("kill")
@reaches_server
@click.argument("session_id", type=click.UUID)
@with_reason
@as_json
def kill(settings: Settings, session_id: UUID, reason: str | None, as_json: bool) -> None:
    """End a session."""
    doomed = SessionId(session_id)
    ordered = ask(settings, lambda at: at.kill(doomed, reason=reason, requested_by=me()))
    if as_json:
        print_json({"kill_id": ordered.kill_id, "state": ordered.state})
    else:
        click.echo(f"Kill {ordered.state}: session {session_id}")


@sessions.command()
@reaches_server
@click.argument("session_id", type=click.UUID)
@click.argument("text")
@as_json
def message(settings: Settings, session_id: UUID, text: str, as_json: bool) -> None:
    """Show a text in the page of a session."""
    whose = SessionId(session_id)
    tell_sent(ask(settings, lambda at: at.send(text, session_id=whose, sent_by=me())), as_json)


def _table(seen: list[Observation]) -> Table:
    headings = ("SESSION", "STATUS", "APP", "USER", "TASK", "AGE", "SILENT", "PROCESS")
    table = a_table(*headings, widths=WIDTHS)
    for each in seen:
        table.add_row(*_cells(each))
    return table


def _cells(seen: Observation) -> list[Text]:
    session, process = seen.session, seen.session.process
    task = session.task
    percent = f" {task.progress:.0%}" if task and task.progress is not None else ""
    kill = f", kill {session.kill.state}" if session.kill else ""
    return [
        Text(str(session.session_id)),
        Text(f"{seen.status}{kill}", style=COLOURS.get(seen.status, "")),
        Text(session.app_name),
        Text(session.user_id or ""),
        Text(f"{(task.name if task else None) or ''}{percent}"),
        Text(span(seen.duration_seconds)),
        Text(span(seen.seconds_since_heartbeat)),
        Text(f"{process.host or '?'}:{process.pid or '?'}" if process else ""),
    ]
