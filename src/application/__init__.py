"""The use cases, one file each, and the ports they are given."""
