"""Apps to try the monitor with."""
