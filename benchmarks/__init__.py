"""Programs that measure. `make bench` runs all of them and keeps the figures as JSON."""
