"""Messages: the text that an operator sends, and whom it goes to."""

from uuid import UUID

from msgspec import UNSET, Struct, UnsetType


class MessageBody(Struct, kw_only=True, omit_defaults=True):
    """A text for the pages of sessions, and who sends it."""

    text: str
    sent_by: str | None = None


class SentView(Struct, kw_only=True):
    """To how many sessions a message is on its way, and to which; to one of them, as which."""

    sent: int
    session_ids: list[UUID]
    message_id: UUID | UnsetType = UNSET
