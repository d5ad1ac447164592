"""An event, with what surrounds it: the account that it came to, where it happened, what things there are called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from adapters.discord.account import DiscordAccount
from adapters.discord.mentions import Named
from adapters.discord.places import Place


def _nameless(_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Happening:
    #: As the gateway names it: MESSAGE_CREATE.
    kind: str
    data: Mapping[str, object]
    account: DiscordAccount
    place: Place
    #: A channel's or a role's id → what it is called there; "" where nobody knows.
    name: Callable[[str], str] = field(default=_nameless)
    #: Of the role that the server gave the bot; "" where it gave none.
    own_role: str = ""
    #: The same whenever this event is delivered again, and no other event's.
    stamp: str = ""

    @property
    def named(self) -> Named:
        return Named(self.account.id, self.own_role, self.name)

    def at(self, place: Place) -> "Happening":
        return replace(self, place=place)
