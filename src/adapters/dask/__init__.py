"""The shared worker pool on the workers of a Dask cluster."""

from .pool import DaskPool

__all__ = ["DaskPool"]
