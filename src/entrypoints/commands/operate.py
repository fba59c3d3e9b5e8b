"""What an operator does from a terminal: look, and end sessions."""

import asyncio
import getpass
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ...adapters.gateway.operator import HttpOperator
from ...adapters.wire.kills import KillBody, KilledAllView
from ...adapters.wire.sessions import SessionView
from ...application.operator_ports import Operator
from ...domain.ids import SessionId
from ...domain.staleness import Observation, Status
from ..settings import Settings
from .options import as_json, takes_settings

T = TypeVar("T")

WIDTHS = {"SESSION": 36, "STATUS": 7}
"""Columns that are never cut, in characters: one is needed to kill, the other to see why."""

COLOURS = {Status.IDLE: "green", Status.RUNNING: "yellow", Status.STALE: "red"}

reaches_server = takes_settings("server_url", "token", "token_file")
with_reason = click.option("--reason", help="Shown to the person whose session it is.")


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
    seen = _ask(settings, lambda at: at.sessions(app_name=app_name, user_id=user_id, status=wanted))
    if as_json:
        _print_json([SessionView.of(each) for each in seen])
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
    order = KillBody(reason=reason, requested_by=_me())
    ordered = _ask(
        settings,
        lambda at: at.kill(
            SessionId(session_id), reason=order.reason, requested_by=order.requested_by
        ),
    )
    if as_json:
        _print_json({"kill_id": ordered.kill_id, "state": ordered.state})
    else:
        click.echo(f"Kill {ordered.state}: session {session_id}")


@click.group()
def apps() -> None:
    """Whole apps."""


@apps.command("kill-all")
@reaches_server
@click.argument("app_name")
@with_reason
@click.option("--yes", is_flag=True, help="Do not ask; without a terminal nobody is asked.")
@as_json
def kill_all(
    settings: Settings, app_name: str, reason: str | None, yes: bool, as_json: bool
) -> None:
    """End all sessions of an app."""
    if not yes and sys.stdin.isatty():
        count = len(_ask(settings, lambda at: at.sessions(app_name=app_name)))
        click.confirm(f"End {_sessions(count)} of {app_name!r}?", abort=True)
    reached = _ask(
        settings,
        lambda at: at.kill_all(app_name, reason=reason, requested_by=_me()),
    )
    count = len(reached.session_ids)
    if as_json:
        _print_json(KilledAllView.of(reached))
    else:
        click.echo(f"Kill requested: {_sessions(count)} of {app_name}")


def _ask(settings: Settings, question: Callable[[Operator], Awaitable[T]]) -> T:
    async def ask() -> T:
        operator = HttpOperator(settings.server_url, settings.token)
        try:
            return await question(operator)
        finally:
            await operator.close()

    return asyncio.run(ask())


def _sessions(count: int) -> str:
    return "1 session" if count == 1 else f"{count} sessions"


def _me() -> str | None:
    """Return who asks; a container may know no name for the user it runs as."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def _table(seen: list[Observation]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("SESSION", "STATUS", "APP", "USER", "TASK", "AGE", "SILENT", "PROCESS"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis", min_width=WIDTHS.get(heading))
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
        Text(_span(seen.duration_seconds)),
        Text(_span(seen.seconds_since_heartbeat)),
        Text(f"{process.host or '?'}:{process.pid or '?'}" if process else ""),
    ]


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _print_json(value: Any) -> None:
    click.echo(json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False))
