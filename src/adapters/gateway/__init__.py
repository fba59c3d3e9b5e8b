"""The server as seen over HTTP, by tracked apps and by operators."""
