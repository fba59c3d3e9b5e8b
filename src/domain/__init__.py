"""The rules of sessions, tasks, staleness and kills: pure, on the standard library alone."""
