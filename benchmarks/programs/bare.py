"""What nobody gets below: a page of the same libraries that shows as many rows, and does nothing.

Served by `panel serve`.
"""

import panel as pn
import panel_material_ui

ROWS, COLUMNS = 2_000, 13

pn.extension("perspective")
rows = {f"Column {at}": [f"cell {row}" for row in range(ROWS)] for at in range(COLUMNS)}
table = pn.pane.Perspective(rows, sizing_mode="stretch_both", min_height=300)
panel_material_ui.Page(title="Bare", main=[table]).servable()
