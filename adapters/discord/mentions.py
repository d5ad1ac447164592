"""Discord's markup for people, roles, channels, emoji, commands and times → what a person meant to say.

The bot's own mention is cut: "<@42> what is rain?" says "what is rain?". Discord tells beside the text whom it really
mentions: what looks like a mention within code is none, and stays.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce

from adapters.calling_by_name import joined
from adapters.discord.people import name_of
from adapters.told import objects

_MARKUP = re.compile(
    r"<@!?(?P<user>\d{1,20})>"
    r"|<@&(?P<role>\d{1,20})>"
    r"|<#(?P<channel>\d{1,20})>"
    r"|<a?:(?P<emoji>\w{1,32}):\d{1,20}>"
    r"|<(?P<command>/[^<>:\n]{1,100}):\d{1,20}>"
    r"|<t:(?P<time>-?\d{1,13})(?::[a-zA-Z])?>",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Named:
    """Who and what a text can name."""

    #: The bot's user id.
    own: str
    #: The role that the server gave the bot; "" where it gave none.
    own_role: str
    #: A channel's or a role's id → what it is called there; "" where nobody knows.
    name: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Heard:
    #: Without the bot's name.
    text: str
    by_mention: bool


def heard(told: str, message: Mapping[str, object], named: Named) -> Heard:
    """Raises NotUnderstood."""
    calls = _calls(message, named)
    pieces, end = [], 0
    for found in _MARKUP.finditer(told):
        if found[0] in calls:
            pieces.append(told[end : found.start()])
            end = found.end()
    pieces.append(told[end:])
    people = people_in(message)
    return Heard(reduce(joined, (_plain(piece, people, named) for piece in pieces)), len(pieces) > 1)


def plain(told: str, message: Mapping[str, object], named: Named) -> str:
    """As others see it. Raises NotUnderstood."""
    return _plain(told, people_in(message), named)


def people_in(message: Mapping[str, object]) -> dict[str, str]:
    """Those whom it mentions, by their ids. Raises NotUnderstood."""
    return {str(user.get("id")): name_of(user, user.get("member")) for user in objects(message.get("mentions"))}


def _calls(message: Mapping[str, object], named: Named) -> frozenset[str]:
    """What of its markup names the bot."""
    calls = set()
    if any(user.get("id") == named.own for user in objects(message.get("mentions"))):
        calls |= {f"<@{named.own}>", f"<@!{named.own}>"}
    roles = message.get("mention_roles")
    if named.own_role and isinstance(roles, list) and named.own_role in roles:
        calls.add(f"<@&{named.own_role}>")
    return frozenset(calls)


def _plain(told: str, people: Mapping[str, str], named: Named) -> str:
    return _MARKUP.sub(lambda found: _said(found, people, named.name), told)


def _said(found: re.Match[str], people: Mapping[str, str], name: Callable[[str], str]) -> str:
    kind, told = found.lastgroup, found[found.lastgroup or 0]
    match kind:
        case "user":
            return f"@{people[told] or told}" if told in people else found[0]
        case "role":
            return f"@{name(told) or told}"
        case "channel":
            return f"#{name(told) or told}"
        case "emoji":
            return f":{told}:"
        case "time":
            return _time(told)
        case _:
            return told


def _time(told: str) -> str:
    try:
        return f"{datetime.fromtimestamp(int(told), UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, OSError, ValueError):
        return told
