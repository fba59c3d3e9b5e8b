"""What the commands of an operator have in common: they ask the server, and show what it says."""

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import click
import msgspec
from rich.table import Table

from ...adapters.gateway.operator import HttpOperator
from ...adapters.wire.messages import SentView
from ...application.operator_ports import Operator, Reached
from ..settings import Settings
from .options import takes_settings

T = TypeVar("T")

reaches_server = takes_settings("server_url", "token", "token_file")
with_reason = click.option("--reason", help="Shown to the person whose session it is.")


def ask(settings: Settings, question: Callable[[Operator], Awaitable[T]]) -> T:
    """Ask the server and return what it answers (raises OperatorError)."""

    async def asked() -> T:
        operator = HttpOperator(settings.server_url, settings.token)
        try:
            return await question(operator)
        finally:
            await operator.close()

    return asyncio.run(asked())


def me() -> str | None:
    """Return who asks; a container may know no name for the user it runs as."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def sessions_in_words(count: int) -> str:
    """Return how many sessions there are."""
    return "1 session" if count == 1 else f"{count} sessions"


def print_json(value: Any) -> None:
    """Print a value for programs."""
    click.echo(json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False))


def tell_sent(reached: Reached, as_json: bool) -> None:
    """Tell whom a message goes to."""
    count = len(reached.session_ids)
    if as_json:
        print_json(SentView(sent=count, session_ids=list(reached.session_ids)))
    else:
        click.echo(f"Message sent to {sessions_in_words(count)}")


def a_table(*headings: str, widths: Mapping[str, int] | None = None) -> Table:
    """Return an empty table; a column with a width is never cut to less."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        width = (widths or {}).get(heading)
        table.add_column(heading, no_wrap=True, overflow="ellipsis", min_width=width)
    return table


def span(seconds: float) -> str:
    """Return a span as hours, minutes and seconds."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
