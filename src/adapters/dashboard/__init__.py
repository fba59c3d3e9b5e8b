"""The dashboard: what operators see, fed through the Operator port alone.

One `Dashboard` lives in the process. Its pump keeps one mirror of the server's live list for all
viewers; each viewer has a view of it, and pages of its own, built from the components.
"""

from .dashboard import Dashboard

__all__ = ["Dashboard"]
