"""Slack's mrkdwn → what a person meant to say.

Only Slack writes `<` and `>`: what people type comes as `&lt;` and `&gt;`. So whatever stands between them names
somebody, something or an address. The bot's own name is cut: "@banter what is rain?" says "what is rain?".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

from adapters.calling_by_name import joined

_ENTITY = re.compile(r"<([^<>]*)>|&(lt|gt|amp);")
_MENTION = re.compile(r"<@([UW][A-Z0-9]{1,30})(?:\|[^<>]*)?>")
_SIGNS = {"lt": "<", "gt": ">", "amp": "&"}
_PLAIN_SCHEMES = ("mailto:", "tel:")


@dataclass(frozen=True, slots=True)
class Heard:
    #: Without the bot's name.
    text: str
    by_mention: bool


def heard(told: str, own_id: str, names: Mapping[str, str]) -> Heard:
    """`own_id` is the bot's user id."""
    pieces, end = [], 0
    for mention in _MENTION.finditer(told):
        if mention[1] == own_id:
            pieces.append(told[end : mention.start()])
            end = mention.end()
    pieces.append(told[end:])
    return Heard(reduce(joined, (plain(piece, names) for piece in pieces)), len(pieces) > 1)


def plain(told: str, names: Mapping[str, str]) -> str:
    return _ENTITY.sub(lambda found: _SIGNS[found[2]] if found[2] else _said(found[1], names), told)


def mentioned_in(told: str) -> set[str]:
    """User ids."""
    return {mention[1] for mention in _MENTION.finditer(told)}


def _said(entity: str, names: Mapping[str, str]) -> str:
    target, _, label = entity.partition("|")
    label = _unescaped(label)
    if target.startswith("@"):
        return "@" + (names.get(target[1:]) or label.removeprefix("@") or target[1:])
    if target.startswith("#"):
        return "#" + (label.removeprefix("#") or target[1:])
    if target.startswith("!"):
        return _special(target[1:], label)
    return _link(_unescaped(target), label)


def _special(target: str, label: str) -> str:
    """A date, a group of users, or all people somewhere: nobody is called by it any more."""
    if target.startswith("date^"):
        return label
    name = label or target.removeprefix("subteam^").partition("^")[0]
    return f"@{name.removeprefix('@')}"


def _link(address: str, label: str) -> str:
    for scheme in _PLAIN_SCHEMES:
        address = address.removeprefix(scheme)
    if not label or label == address or label == address.partition("://")[2].rstrip("/"):
        return label or address
    return f"{label} ({address})"


def _unescaped(told: str) -> str:
    return told.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
