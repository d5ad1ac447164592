"""What somebody does with Discord's own means, as it comes: who does it, where, and to what. Pure.

Where the bot is no member (an app can be installed by one person, and brought along to any server or chat), a dialogue
belongs to that person alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from adapters.discord.people import person_of, roles_of
from adapters.discord.places import place_in
from adapters.discord.snowflakes import moment, snowflake_in, snowflake_or_none
from adapters.payloads import NotUnderstood, Payload, found_in, text_in
from core.dialogue import Person, SessionKey

#: The key of the server, among those who installed the app.
_BY_SERVER = "0"


class Kind(IntEnum):
    COMMAND = 2
    BUTTON = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Context(IntEnum):
    SERVER = 0
    #: Direct messages with the bot.
    DIRECT = 1
    #: Other people's direct messages and groups.
    ELSEWHERE = 2


@dataclass(frozen=True, slots=True)
class Interaction:
    id: str
    kind: Kind
    key: SessionKey
    #: Where it happened: a channel, or a thread.
    channel: str
    person: Person
    roles: frozenset[str]
    #: The language of the person's Discord.
    locale: str
    context: Context
    data: Payload
    #: Whose button it is; "" where it is none's.
    message_id: str = ""

    @property
    def happened_at(self) -> datetime:
        return moment(self.id)

    @property
    def is_read_by_others(self) -> bool:
        """Whether more people than the one who acts read there."""
        return self.context is not Context.DIRECT


def read_interaction(payload: Payload, bot_id: str, is_member: Callable[[str], bool]) -> Interaction:
    """`is_member` tells whether the bot is in a server. Raises NotUnderstood."""
    kind = _number_in(payload, "type")
    if kind not in list(Kind):
        raise NotUnderstood("it is no kind of interaction that is known")
    context = _context_of(payload)
    member = found_in(payload, "member")
    person = person_of(found_in(payload, "user") if member is None else found_in(member, "user"), member)
    server, data = snowflake_or_none(found_in(payload, "guild_id")), found_in(payload, "data")
    key = place_in(found_in(payload, "channel"), server).key(bot_id)
    if not _is_there(payload, context, is_member):
        key = replace(key, workspace="", person=person.platform_id)
    return Interaction(
        id=snowflake_in(payload, "id"),
        kind=Kind(kind),
        key=key,
        channel=snowflake_in(payload, "channel", "id"),
        person=person,
        roles=roles_of(member, server),
        locale=text_in(payload, "locale"),
        context=context,
        data=data if isinstance(data, Mapping) else {},
        message_id=snowflake_or_none(found_in(payload, "message", "id")),
    )


def _context_of(payload: Payload) -> Context:
    told = _number_in(payload, "context")
    if told in list(Context):
        return Context(told)
    return Context.DIRECT if found_in(payload, "guild_id") is None else Context.SERVER


def _is_there(payload: Payload, context: Context, is_member: Callable[[str], bool]) -> bool:
    """Whether the bot is where it happened."""
    if context is not Context.SERVER:
        return context is Context.DIRECT
    owners = found_in(payload, "authorizing_integration_owners")
    is_of_server = not isinstance(owners, Mapping) or not owners or _BY_SERVER in owners
    return is_of_server and is_member(snowflake_in(payload, "guild_id"))


def _number_in(payload: Payload, name: str) -> int:
    """-1 where none is told."""
    found = payload.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else -1
