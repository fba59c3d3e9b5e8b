"""Running the parts: the API, the dashboard, the database's schema, the settings."""

import json
import sys
from pathlib import Path

import click

from ...application.ports import CannotStart
from ..settings import PREFIX, Settings
from .options import as_json, takes_settings

STOP_WITHIN = 5
"""How long a stopping server waits for requests that are under way, in seconds."""


@click.command()
@takes_settings(
    "host",
    "port",
    "database_url",
    "stale_after",
    "expire_after",
    "heartbeat_interval",
    "sweep_interval",
    "history_days",
)
@click.option("--access-log", is_flag=True, help="Log every request; this halves the throughput.")
@click.option(
    "--log-level",
    type=click.Choice(["critical", "error", "warning", "info", "debug"]),
    default="info",
    show_default=True,
    help="Least severity that is logged.",
)
def serve(settings: Settings, access_log: bool, log_level: str) -> None:
    """Run the API."""
    import uvicorn  # noqa: PLC0415  # only this command needs the server

    from ..api import create  # noqa: PLC0415
    from ..container import Service  # noqa: PLC0415
    from ..hosting import allow_many_connections  # noqa: PLC0415

    allow_many_connections()
    service = Service()
    service.settings.override(settings)
    uvicorn.run(
        create(service),
        host=settings.host,
        port=settings.port,
        access_log=access_log,
        proxy_headers=False,  # nothing here asks where a request came from
        server_header=False,
        log_level=log_level,
        timeout_graceful_shutdown=STOP_WITHIN,
    )


@click.command()
@takes_settings("server_url", "token", "token_file")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=5000,
    show_default=True,
    help="Port the dashboard listens on.",
)
@click.option("--address", default="127.0.0.1", show_default=True, help="Address it listens on.")
@click.option(
    "--allow-websocket-origin", multiple=True, help="Host name under which browsers reach it."
)
def dashboard(
    settings: Settings, port: int, address: str, allow_websocket_origin: tuple[str, ...]
) -> None:
    """Run the dashboard, by `panel serve`."""
    from panel.command import main as panel  # noqa: PLC0415  # only this command needs Panel

    from ..dashboard import view  # noqa: PLC0415

    view.settings.override(settings)
    script = Path(__file__).parents[1] / "monitor.py"
    origins = [f"--allow-websocket-origin={each}" for each in allow_websocket_origin]
    sys.argv = ["panel", "serve", str(script), f"--port={port}", f"--address={address}", *origins]
    panel()


@click.group()
def db() -> None:
    """The database."""


@db.command()
@takes_settings("database_url")
def upgrade(settings: Settings) -> None:
    """Bring the database to the schema of this version."""
    _upgrade(settings)
    click.echo("The database is up to date.")


@click.group()
def config() -> None:
    """The settings."""


@config.command("show")
@takes_settings()
@as_json
def show(settings: Settings, as_json: bool) -> None:
    """Show every setting with the value in force; secrets are hidden."""
    shown = settings.shown()
    if as_json:
        click.echo(json.dumps(shown, indent=2))
        return
    widest = max(map(len, shown)) + len(PREFIX)
    for name, value in shown.items():
        click.echo(f"{PREFIX + name.upper():{widest}}  {'' if value is None else value}")


def _upgrade(settings: Settings) -> None:
    from ...adapters.storage.migrations import upgrade  # noqa: PLC0415
    from ...adapters.storage.sqlite import SqliteDatabase  # noqa: PLC0415

    try:
        upgrade(SqliteDatabase(settings.database_url))
    except CannotStart as refusal:
        raise click.ClickException(str(refusal)) from None
