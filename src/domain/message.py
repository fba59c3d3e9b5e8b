"""A message: a text that an operator sends to the page of a session."""

from dataclasses import dataclass
from datetime import datetime

from .ids import MESSAGE_LENGTH, MessageId, SessionId, optional_name, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text for one session, on its way until the session's process has shown it."""

    message_id: MessageId
    session_id: SessionId
    text: str
    sent_at: datetime
    sent_by: str | None = None

    def __post_init__(self) -> None:
        """Hold the rules of the texts (raises InvalidField)."""
        object.__setattr__(self, "text", text("text", self.text, MESSAGE_LENGTH))
        object.__setattr__(self, "sent_by", optional_name("sent_by", self.sent_by))
