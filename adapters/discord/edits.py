"""Edits and deletions of messages that nobody needs to remember: Discord's events tell all of what counts.

A message changes for reasons of Discord's own: a link's preview comes, a thread is made from it. It is an edit only
where a person edited it, which `edited_timestamp` tells. One without words is passed over: an empty edit would take the
question back, and without the Message Content intent every edit that does not call the bot looks like that.
"""

from collections.abc import Sequence

from adapters.discord.happening import Happening
from adapters.discord.people import is_a_bots, person_of
from adapters.discord.sayings import is_said, said_in
from adapters.discord.snowflakes import snowflake, snowflake_in
from adapters.payloads import NotUnderstood, found_in
from adapters.told import word
from core.dialogue import Deletion, Edit

#: Discord deletes no more at once.
_MOST_DELETED = 1000


def edited(happening: Happening) -> Sequence[Edit]:
    """Raises NotUnderstood."""
    data = happening.data
    own = found_in(data, "author", "id") == happening.account.id
    if own or not data.get("content") or data.get("edited_timestamp") is None or not is_said(data) or is_a_bots(data):
        return []
    said = said_in(happening, data)
    if not said.text.strip():
        return []
    person = person_of(data.get("author"), data.get("member"))
    revision = word(data["edited_timestamp"])
    return [Edit(happening.place.key(happening.account.id), person, snowflake_in(data, "id"), revision, said.text)]


def deleted(happening: Happening) -> Sequence[Deletion]:
    """Raises NotUnderstood."""
    return [Deletion(happening.place.key(happening.account.id), snowflake_in(happening.data, "id"))]


def deleted_many(happening: Happening) -> Sequence[Deletion]:
    """Raises NotUnderstood."""
    ids = happening.data.get("ids")
    if not isinstance(ids, list) or len(ids) > _MOST_DELETED:
        raise NotUnderstood("what should be a list of ids is none")
    key = happening.place.key(happening.account.id)
    return [Deletion(key, snowflake(one)) for one in ids]
