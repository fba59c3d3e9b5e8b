"""`psm`, the command line: where it starts, and what it says when it cannot."""

import sys


def main() -> None:
    """Run the command line; mistakes of its user end in one line on standard error."""
    try:
        from .commands import psm  # noqa: PLC0415  # a plain install has no click

        psm(prog_name="psm")
    except KeyboardInterrupt:
        sys.exit(130)
    except ModuleNotFoundError as missing:
        if str(missing.name).startswith("panel_session_monitor"):
            raise
        sys.exit(
            f"psm needs the package {missing.name}: "
            "pip install 'panel-session-monitor[server,dashboard]'"
        )


if __name__ == "__main__":
    main()
