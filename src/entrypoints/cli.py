"""`psm`, the command line: where it starts, and what it says when it cannot."""

import sys


def main() -> None:
    """Run the command line; mistakes of its user end in one line on standard error."""
    try:
        from .commands import psm  # noqa: PLC0415  # a plain install has no click
    except ModuleNotFoundError as missing:
        sys.exit(
            f"psm needs the package {missing.name}: "
            "pip install 'panel-session-monitor[server,dashboard]'"
        )
    psm(prog_name="psm")


if __name__ == "__main__":
    main()
