"""What can go wrong, by what the caller can do about it.

MonitorError
├── Invalid            the input breaks a rule: correct it
│   └── InvalidField
├── NotFound           nobody knows this id: register it (again)
│   └── SessionNotFound
├── Conflict           the id is taken by something else: choose another
│   ├── SessionOfAnotherApp
│   └── SessionOfAnotherProcess
├── Gone               the session has ended and does not come back
│   └── SessionEnded
└── Unavailable        something is not to be had now: try again later
"""

from uuid import UUID


class MonitorError(Exception):
    """Root of every error that the core raises on purpose."""


class Invalid(MonitorError):
    """The input breaks a rule."""


class NotFound(MonitorError):
    """Nothing is known under this id."""


class Conflict(MonitorError):
    """The request contradicts what is stored."""


class Gone(MonitorError):
    """It was there, and has ended."""


class Unavailable(MonitorError):
    """What the request needs is not to be had at this moment; nothing was done."""


class InvalidField(Invalid):
    """One named field breaks its rule."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class SessionNotFound(NotFound):
    """No session, live or ended, has this id."""

    def __init__(self, session_id: UUID) -> None:
        super().__init__(f"session {session_id} is not known")
        self.session_id = session_id


class SessionOfAnotherApp(Conflict):
    """The id is already registered for a different app."""

    def __init__(self, session_id: UUID, app_name: str) -> None:
        super().__init__(f"session {session_id} is registered for the app {app_name!r}")
        self.session_id = session_id
        self.app_name = app_name


class SessionOfAnotherProcess(Conflict):
    """A process reports about a session that another process serves."""

    def __init__(self, session_id: UUID) -> None:
        super().__init__(f"session {session_id} belongs to another process")
        self.session_id = session_id


class SessionEnded(Gone):
    """The session is over."""

    def __init__(self, session_id: UUID) -> None:
        super().__init__(f"session {session_id} has ended")
        self.session_id = session_id
