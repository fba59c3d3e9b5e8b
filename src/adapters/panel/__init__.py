"""Panel and Bokeh: where sessions begin and end, and how one is ended for good."""
