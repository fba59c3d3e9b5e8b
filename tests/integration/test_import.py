"""What an app pays for with `import panel_session_monitor`."""

import subprocess
import sys

SERVER = {"alembic", "dependency_injector", "litestar", "sqlalchemy", "uvicorn"}
SLOW = {"httpx", "httpx_sse", "msgspec", "dotenv", "panel", "bokeh", "pandas"}


def test_the_import_loads_neither_the_server_nor_what_is_slow() -> None:
    code = "import sys, panel_session_monitor; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "panel_session_monitor" in loaded
    assert not (SERVER | SLOW) & set(loaded)
