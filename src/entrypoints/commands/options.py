"""Settings as options of a command, and how a user's mistakes are told."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from ...application.operator_ports import OperatorError
from ..settings import PREFIX, BadSetting, Settings, describe

F = TypeVar("F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def takes_settings(*names: str) -> Callable[[F], F]:
    """Give a command the named settings as options, and itself `settings` as an argument."""

    def decorate(command: F) -> F:
        @wraps(command)
        def run(**arguments: Any) -> Any:
            options = {name: arguments.pop(name) for name in names}
            with told_in_one_line():
                return command(settings=Settings.load(**options), **arguments)

        for name in reversed(names):
            text = f"{_sentence(name)}  [env: {PREFIX}{name.upper()}]"
            run = click.option(f"--{name.replace('_', '-')}", name, help=text)(run)
        return run  # type: ignore[return-value]  # click's decorators keep the callable's kind

    return decorate


def _sentence(name: str) -> str:
    meaning, default = describe(name), getattr(Settings(), name)
    return meaning[0].upper() + meaning[1:] + (f" (default: {default})" if default else "") + "."


class told_in_one_line:  # noqa: N801  # reads as the sentence it is
    """Turn the errors that a user can mend into one line and an exit code."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BadSetting):
            raise click.UsageError(str(error)) from None
        if isinstance(error, OperatorError):
            raise click.ClickException(str(error)) from None
