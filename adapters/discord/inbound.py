"""A gateway event → what it says to the core. Pure: nothing is asked, sent or kept.

Where one person writes to the bot nobody needs to call it. In a server it is called by its name, by a reply to one of
its messages, or by a command; whether a dialogue goes on without that is the core's to say. A mention in the root of a
channel begins a thread, where the operator wants that and the channel can have one; a reply goes on where it stands.

Without the Message Content intent a message that does not call the bot comes without its words. It says nothing then.
"""

from collections.abc import Callable, Mapping, Sequence

from adapters.discord.attachments import attachments_of
from adapters.discord.edits import deleted, deleted_many, edited
from adapters.discord.feedback import reacted
from adapters.discord.happening import Happening
from adapters.discord.people import is_a_bots, person_of, roles_of
from adapters.discord.quotes import quotes_of
from adapters.discord.sayings import REPLY, is_said, said_in
from adapters.discord.snowflakes import moment, snowflake_in, snowflake_or_none
from adapters.payloads import found_in
from core.dialogue import Called, Inbound, InboundMessage


def to_inbound(happening: Happening) -> list[Inbound]:
    """Raises NotUnderstood."""
    read = _READERS.get(happening.kind)
    return [] if read is None else [*read(happening)]


def _said(happening: Happening) -> Sequence[Inbound]:
    data, place = happening.data, happening.place
    name = snowflake_in(data, "id")
    if not is_said(data):
        return []
    said, attachments = said_in(happening, data), attachments_of(data, place.id)
    quotes = quotes_of(happening, data, is_called=said.by_mention)
    if not (said.text.strip() or attachments or quotes or said.by_mention):
        return []
    by_reply = _is_reply_to_bot(happening)
    begins_thread = said.by_mention and not by_reply and place.has_threads and happening.account.threads
    return [
        InboundMessage(
            place.key(happening.account.id, thread=name if begins_thread else ""),
            person_of(data.get("author"), data.get("member")),
            name,
            said.text,
            moment(name),
            Called(place.is_direct, said.by_mention, by_reply),
            roles_of(data.get("member"), place.guild),
            is_from_bot=is_a_bots(data) or found_in(data, "author", "id") == happening.account.id,
            reply_to_id=_replied_id(data),
            attachments=attachments,
            quotes=quotes,
            wants_title=begins_thread,
        )
    ]


def _is_reply_to_bot(happening: Happening) -> bool:
    author = found_in(happening.data, "referenced_message", "author", "id")
    return happening.data.get("type") == REPLY and author == happening.account.id


def _replied_id(data: Mapping[str, object]) -> str:
    if data.get("type") != REPLY:
        return ""
    return snowflake_or_none(found_in(data, "message_reference", "message_id"))


_READERS: Mapping[str, Callable[[Happening], Sequence[Inbound]]] = {
    "MESSAGE_CREATE": _said,
    "MESSAGE_UPDATE": edited,
    "MESSAGE_DELETE": deleted,
    "MESSAGE_DELETE_BULK": deleted_many,
    "MESSAGE_REACTION_ADD": reacted,
    "MESSAGE_REACTION_REMOVE": reacted,
}
