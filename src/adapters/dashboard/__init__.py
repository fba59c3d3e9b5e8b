"""The dashboard: what operators see, fed through the Operator port alone.

One `Dashboard` lives in the process; its feed asks the server once for all viewers. Each viewer
gets a page of its own, built from the components beside it.
"""

from .dashboard import Dashboard

__all__ = ["Dashboard"]
