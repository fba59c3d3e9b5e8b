"""Watch and control the live browser sessions of HoloViz Panel applications."""

from .application.tracker import Task, Tracker
from .entrypoints.client import SessionClient

__all__ = ["SessionClient", "Task", "Tracker"]
