"""What the app, the scheduler and the workers call things between them."""

PLUGIN = "panel-session-monitor"
"""The name of what the pool adds to the scheduler and to the workers."""

TELL = "panel-session-monitor-tell"
"""What a worker has to say to a pool, by way of the scheduler."""

CALL = "panel_session_monitor:"
"""What the names of calls begin with.

The function's name comes next: Dask learns from it how long a task takes.
"""

BEGUN = "panel-session-monitor-begun"
"""That a worker has begun with a call."""


def is_call(key: object) -> bool:
    """Tell whether a task of the cluster is a call of a pool."""
    return isinstance(key, tuple) and str(key[0]).startswith(CALL)
