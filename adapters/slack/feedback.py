"""Reactions to the bot's messages, and Slack's own Stop button → what people think of a reply, or want done with it.

A reaction tells its message but not its thread; the core knows where it stands. One that is taken back is joined by the
core to the opinion that it takes back. Stop names the messages that Slack stopped; none where nothing was shown yet.
"""

from adapters.payloads import NotUnderstood
from adapters.slack.authors import person_of
from adapters.slack.happening import Happening
from adapters.slack.told import ts
from adapters.told import fields, text, word
from core.dialogue import Feedback, Opinion

_OPINIONS = {"+1": Opinion.GOOD, "thumbsup": Opinion.GOOD, "-1": Opinion.BAD, "thumbsdown": Opinion.BAD}


def reacted(happening: Happening) -> list[Feedback]:
    """Raises NotUnderstood."""
    event, own = happening.event, happening.workspace.bot_user_id
    name = text(event.get("reaction")).partition("::")[0]  # "+1::skin-tone-3"
    user = word(event.get("user"))
    if name not in _OPINIONS or event.get("item_user") != own or user == own:
        return []
    item = fields(event.get("item"))
    if item.get("type") != "message":
        return []
    key = happening.key(word(item.get("channel")))
    opinion = _OPINIONS[name]
    return [
        Feedback(
            key,
            person_of(happening, user, event),
            ts(item.get("ts")),
            opinion,
            f"{ts(event.get('event_ts'))}.{user}.{opinion.value}",
            is_withdrawn=happening.kind == "reaction_removed",
        )
    ]


def stopped(happening: Happening) -> list[Feedback]:
    """Raises NotUnderstood."""
    event = happening.event
    user = word(event.get("user"))
    key = happening.key(happening.channel, ts(event.get("thread_ts")))
    seen = event.get("streaming_message_ts") or []
    if not isinstance(seen, list):
        raise NotUnderstood("what should be a list is none")
    message = ts(seen[-1]) if seen else ""
    return [Feedback(key, person_of(happening, user, event), message, Opinion.STOP, ts(event.get("event_ts")))]
