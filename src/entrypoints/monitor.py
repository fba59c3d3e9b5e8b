"""The dashboard as a Panel app: `panel serve src/entrypoints/monitor.py --port 5000`."""

import panel as pn
from panel_session_monitor.entrypoints.dashboard import view
from panel_session_monitor.entrypoints.settings import BadSetting

try:
    view.dashboard().page().servable(title="Panel Session Monitor")
except BadSetting as error:
    pn.pane.Alert(str(error), alert_type="danger").servable(title="Panel Session Monitor")
