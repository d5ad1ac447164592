"""Edits and deletions of messages.

A message changes for many reasons of Slack's own: links are unfurled, replies counted, languages found. It is an edit
only where a person edited it, and where other words came of that. One that leaves no words is passed over: an empty
edit would take the question back. What is left of a deleted message with replies is a "tombstone".

In a channel that another company shares, an edit is heard where the bot is called in it still; a deletion is always:
what somebody takes back is forgotten.
"""

import hashlib
from collections.abc import Mapping

from adapters.slack.authors import author_of, is_a_bots
from adapters.slack.happening import Happening
from adapters.slack.texts import heard
from adapters.slack.told import ts
from adapters.told import fields, text
from core.dialogue import Deletion, Edit

_LENGTH = 12


def changed(happening: Happening) -> list[Edit | Deletion]:
    """Raises NotUnderstood."""
    message = fields(happening.event.get("message"))
    if message.get("subtype") == "tombstone":
        return [_deletion(happening, ts(message.get("ts")), message)]
    if is_a_bots(happening, message) or not message.get("edited") or _says_the_same(happening, message):
        return []
    told = text(message.get("text"))
    said = heard(told, happening.workspace.bot_user_id, happening.names)
    if not said.text.strip() or (happening.is_shared and not said.by_mention):
        return []
    edited, name = fields(message["edited"]), ts(message.get("ts"))
    key = happening.key(happening.channel, _thread(message, name))
    return [Edit(key, author_of(happening, message), name, _revision(ts(edited.get("ts")), told), said.text)]


def deleted(happening: Happening) -> list[Edit | Deletion]:
    """Raises NotUnderstood."""
    before = happening.event.get("previous_message")
    gone = fields(before) if before is not None else {}
    if is_a_bots(happening, gone):
        return []
    return [_deletion(happening, ts(happening.event.get("deleted_ts")), gone)]


def _deletion(happening: Happening, name: str, message: Mapping[str, object]) -> Deletion:
    return Deletion(happening.key(happening.channel, _thread(message, name)), name)


def _says_the_same(happening: Happening, message: Mapping[str, object]) -> bool:
    before = happening.event.get("previous_message")
    return before is not None and fields(before).get("text") == message.get("text")


def _thread(message: Mapping[str, object], name: str) -> str:
    thread = message.get("thread_ts")
    return name if thread is None else ts(thread)


def _revision(edited_at: str, told: str) -> str:
    """Slack tells the second, in which there may be two edits; the text's hash tells them apart."""
    digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{edited_at}.{digest[:_LENGTH]}"
