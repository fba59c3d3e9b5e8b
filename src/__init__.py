"""Watch and control the live browser sessions of HoloViz Panel applications."""

from .application.app_ports import SessionKilled
from .application.task import Task
from .application.tracker import Tracker
from .entrypoints.client import SessionClient

__all__ = ["SessionClient", "SessionKilled", "Task", "Tracker"]
