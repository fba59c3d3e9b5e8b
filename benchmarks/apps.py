"""A Panel app, tracked where TRACKED is set: the two differ by nothing else."""

import os

import panel as pn
import param

pn.extension(sizing_mode="stretch_width")


class Choice(param.Parameterized):
    """Some widgets, as an app has them."""

    region = param.Selector(objects=["north", "south"])
    year = param.Integer(2026, bounds=(2000, 2030))
    rate = param.Number(0.5, bounds=(0, 1))
    note = param.String("")


if os.environ.get("TRACKED"):
    from panel_session_monitor import SessionClient

    tracker = SessionClient.get_tracker(app_name="benchmark")

parts = [pn.pane.Markdown(f"Part {number}") for number in range(20)]
pn.Column("# A report", Choice().param, *parts).servable()
