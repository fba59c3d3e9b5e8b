"""What `litestar run` finds: the API, with the settings of the environment."""

from panel_session_monitor.entrypoints.api import create

app = create()
