"""What `litestar run` finds: the API, with the settings of the environment."""

import sys

from panel_session_monitor.entrypoints.api import create
from panel_session_monitor.entrypoints.settings import BadSetting

try:
    app = create()
except BadSetting as error:
    print(error, file=sys.stderr)  # noqa: T201  # one line, where a traceback would stand
    sys.exit(2)
