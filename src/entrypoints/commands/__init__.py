"""The commands of `psm`, by what they are for."""

import click

from . import apps, demo, processes, run, sessions


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="panel-session-monitor", message="%(version)s")
def psm() -> None:
    """Watch and control the live browser sessions of Panel apps."""


for command in (
    run.serve,
    run.dashboard,
    demo.demo,
    run.db,
    sessions.sessions,
    apps.apps,
    processes.processes,
    run.config,
):
    psm.add_command(command)
