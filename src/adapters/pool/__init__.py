"""The shared worker pool, by aiomultiprocess."""

from .pool import ProcessPool

__all__ = ["ProcessPool"]
