"""What an app pays for with `import panel_session_monitor`."""

import subprocess
import sys

SERVER = {"alembic", "dependency_injector", "litestar", "sqlalchemy", "uvicorn"}
SLOW = {
    "aiomultiprocess",
    "multiprocessing",
    "httpx",
    "httpx_sse",
    "msgspec",
    "dotenv",
    "panel",
    "bokeh",
    "pandas",
}


def test_the_import_loads_neither_the_server_nor_what_is_slow() -> None:
    code = "import sys, panel_session_monitor; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "panel_session_monitor" in loaded
    assert not (SERVER | SLOW) & set(loaded)


def test_a_tracker_loads_no_pool_before_it_is_asked_for_one() -> None:
    code = (
        "import sys; from panel_session_monitor import SessionClient;"
        "SessionClient.get_tracker('app', server_url='http://localhost:9').pool();"
        "print(*sys.modules)"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "panel_session_monitor.application.pool" in loaded
    assert "aiomultiprocess" not in loaded


def test_an_apps_own_pool_loads_no_dask() -> None:
    code = "import sys, panel_session_monitor.pool; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "panel_session_monitor.adapters.dask.pool" in loaded
    assert not {"dask", "distributed", "tornado"} & set(loaded)
