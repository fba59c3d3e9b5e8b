"""What the app, the scheduler and the workers call things between them."""

PLUGIN = "panel-session-monitor"
"""The name of what the pool adds to the scheduler and to the workers."""

TELL = "panel-session-monitor-tell"
"""What a worker has to say to a pool, by way of the scheduler."""
