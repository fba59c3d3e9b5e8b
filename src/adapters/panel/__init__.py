"""Panel's sessions: whose code is running, when one is over, and how to end one for good."""

from .sessions import PanelSession, current_session, current_user

__all__ = ["PanelSession", "current_session", "current_user"]
