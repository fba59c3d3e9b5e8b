"""What the pages are built from; each has a Python side and a browser side of the same name."""
