"""An event of Slack's → what it says to the core. Pure: nothing is asked, sent or kept.

Every message that stands alone is the root of a thread, and so a dialogue of its own (`thread_ts or ts`). Where one
person writes to the bot nobody needs to call it; in channels and group DMs it is called by its name, and whether a
thread goes on without it is the core's to say. Slack tells of one message twice where the bot is called in a channel
(`app_mention` and `message`): both say the same, and the core keeps one.

In a channel that another company shares, nothing is heard but what calls this installation's own bot.
"""

from collections.abc import Callable, Mapping, Sequence

from adapters.slack.authors import author_of, is_a_bots
from adapters.slack.edits import changed, deleted
from adapters.slack.feedback import reacted, stopped
from adapters.slack.files import attachments_of
from adapters.slack.happening import Happening
from adapters.slack.quotes import quotes_of
from adapters.slack.texts import heard
from adapters.slack.told import moment, ts
from adapters.slack.workspaces import Workspace
from adapters.told import text, word, word_or_none
from core.dialogue import Called, Inbound, InboundMessage, Move

#: What carries words of somebody's; other subtypes tell of channels and their members.
_SAID = frozenset({"", "file_share", "thread_broadcast", "me_message", "bot_message"})


def to_inbound(body: Mapping[str, object], workspace: Workspace, names: Mapping[str, str]) -> list[Inbound]:
    """`names`: of the people in it, by their ids. Raises ValueError where it can't be understood."""
    happening = Happening(body, workspace, names)
    read = _READERS.get(happening.kind)
    return [] if read is None else [*read(happening)]


def _message(happening: Happening) -> Sequence[Inbound]:
    subtype = word_or_none(happening.event.get("subtype"))
    if subtype == "message_changed":
        return changed(happening)
    if subtype == "message_deleted":
        return deleted(happening)
    return _said(happening) if subtype in _SAID else []


def _said(happening: Happening) -> Sequence[Inbound]:
    event, own = happening.event, happening.workspace.bot_user_id
    said = heard(text(event.get("text") or ""), own, happening.names)
    by_mention = said.by_mention or (happening.kind == "app_mention" and not happening.is_shared)
    if happening.is_shared and not by_mention:
        return []
    name, channel = ts(event.get("ts")), happening.channel
    thread = event.get("thread_ts")
    attachments, quotes = attachments_of(event), quotes_of(happening, event)
    if not (said.text.strip() or attachments or quotes or by_mention):
        return []
    by_reply = thread is not None and not happening.is_direct and event.get("parent_user_id") == own
    return [
        InboundMessage(
            happening.key(channel, name if thread is None else ts(thread)),
            author_of(happening, event),
            name,
            said.text,
            moment(name),
            Called(happening.is_direct, by_mention, by_reply),
            is_from_bot=is_a_bots(happening, event),
            reply_to_id=ts(thread) if by_reply else "",
            attachments=attachments,
            quotes=quotes,
            wants_title=happening.is_direct and thread is None,
        )
    ]


def _moved(happening: Happening) -> Sequence[Inbound]:
    event = happening.event
    return [Move(happening.key(word(event.get("old_channel_id"))), word(event.get("new_channel_id")))]


_READERS: Mapping[str, Callable[[Happening], Sequence[Inbound]]] = {
    "app_mention": _message,
    "message": _message,
    "reaction_added": reacted,
    "reaction_removed": reacted,
    "agent_session_stopped": stopped,
    "channel_id_changed": _moved,
}
