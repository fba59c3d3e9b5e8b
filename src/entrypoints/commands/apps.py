"""What an operator does with whole apps."""

import sys

import click
from rich.console import Console
from rich.text import Text

from ...adapters.wire.apps import AppView
from ...adapters.wire.drains import DrainView
from ...adapters.wire.kills import KilledAllView
from ...domain.drain import Drain
from ..settings import Settings
from .asking import (
    a_table,
    ask,
    me,
    print_json,
    reaches_server,
    sessions_in_words,
    tell_sent,
    with_reason,
)
from .options import as_json


@click.group()
def apps() -> None:
    """Whole apps."""


@apps.command("list")
@reaches_server
@as_json
def list_apps(settings: Settings, as_json: bool) -> None:
    """List the apps that have sessions or are drained."""
    seen = ask(settings, lambda at: at.apps())
    if as_json:
        print_json([AppView.of(each) for each in seen])
        return
    table = a_table("APP", "SESSIONS", "IDLE", "RUNNING", "STALE", "USERS", "DRAIN")
    for each in seen:
        counts = (each.sessions, each.idle, each.running, each.stale, each.users)
        table.add_row(Text(each.app_name), *map(str, counts), _terms(each.drain))
    Console().print(table) if seen else click.echo("No apps.")


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
        count = len(ask(settings, lambda at: at.sessions(app_name=app_name)))
        click.confirm(f"End {sessions_in_words(count)} of {app_name!r}?", abort=True)
    reached = ask(settings, lambda at: at.kill_all(app_name, reason=reason, requested_by=me()))
    if as_json:
        print_json(KilledAllView.of(reached))
    else:
        count = len(reached.session_ids)
        click.echo(f"Kill requested: {sessions_in_words(count)} of {app_name}")


@apps.command()
@reaches_server
@click.argument("app_name")
@click.argument("text")
@as_json
def message(settings: Settings, app_name: str, text: str, as_json: bool) -> None:
    """Show a text in the pages of all sessions of an app."""
    tell_sent(ask(settings, lambda at: at.send(text, app_name=app_name, sent_by=me())), as_json)


@apps.command()
@reaches_server
@click.argument("app_name")
@click.option("--kill-after", type=click.IntRange(0), help="After so many seconds, end the rest.")
@with_reason
@as_json
def drain(
    settings: Settings, app_name: str, kill_after: int | None, reason: str | None, as_json: bool
) -> None:
    """Tell an app's sessions, old and new, that it comes to an end."""
    drained = ask(
        settings,
        lambda at: at.drain(app_name, kill_after=kill_after, reason=reason, requested_by=me()),
    )
    if as_json:
        print_json(DrainView.of(drained))
    else:
        click.echo(f"{drained.app_name} is being drained, {_terms(drained)}")


@apps.command()
@reaches_server
@click.argument("app_name")
@as_json
def undrain(settings: Settings, app_name: str, as_json: bool) -> None:
    """Take the drain of an app back."""
    ask(settings, lambda at: at.undrain(app_name))
    if as_json:
        print_json({"app_name": app_name, "drain": None})
    else:
        click.echo(f"{app_name} is not being drained")


def _terms(drain: Drain | None) -> str:
    if drain is None:
        return ""
    return f"kills at {drain.kill_at:%Y-%m-%d %H:%M:%S} UTC" if drain.kill_at else "kills nobody"
