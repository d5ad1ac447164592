"""Whether the bot may read what is said in a channel, as its roles and the channel's exceptions say.

Asking for what one may not see counts against the bot: who is refused ten thousand times in ten minutes is banned. So
it is reckoned before, in the way that Discord's documentation describes. What can't be reckoned is taken for allowed.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from adapters.payloads import list_in, text_in

_ADMINISTRATOR, _VIEW, _HISTORY, _CONNECT = 1 << 3, 1 << 10, 1 << 16, 1 << 20
_ALL = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Standing:
    """What the bot is in a server."""

    guild: str
    user: str
    #: None where Discord did not tell.
    roles: AbstractSet[str] | None
    #: Role → what it allows.
    allowed: Mapping[str, int] = field(default_factory=dict)


def standing_of(guild: Mapping[str, object], user: str) -> Standing:
    """Of what GUILD_CREATE tells."""
    allowed = {text_in(role, "id"): _number(text_in(role, "permissions")) for role in list_in(guild, "roles")}
    own = next((one for one in list_in(guild, "members") if text_in(one, "user", "id") == user), None)
    roles = None if own is None else frozenset(one for one in list_in(own, "roles") if isinstance(one, str))
    return Standing(text_in(guild, "id"), user, roles, allowed)


def may_read(standing: Standing, overwrites: Sequence[object], *, is_voice: bool = False) -> bool:
    """`overwrites` are the channel's; of a thread, its parent's."""
    if standing.roles is None or standing.guild not in standing.allowed:
        return True
    allowed = standing.allowed[standing.guild]
    for role in standing.roles:
        allowed |= standing.allowed.get(role, 0)
    if allowed & _ADMINISTRATOR:
        return True
    allowed = _with(allowed, overwrites, {standing.guild})
    allowed = _with(allowed, overwrites, standing.roles)
    allowed = _with(allowed, overwrites, {standing.user})
    needed = _VIEW | _HISTORY | (_CONNECT if is_voice else 0)
    return allowed & needed == needed


def _with(allowed: int, overwrites: Sequence[object], whose: AbstractSet[str]) -> int:
    mine = [one for one in overwrites if text_in(one, "id") in whose]
    denied = granted = 0
    for one in mine:
        denied |= _number(text_in(one, "deny"))
        granted |= _number(text_in(one, "allow"))
    return allowed & ~denied | granted


def _number(told: str) -> int:
    return int(told) & _ALL if told.isascii() and told.isdecimal() and len(told) <= 20 else 0
