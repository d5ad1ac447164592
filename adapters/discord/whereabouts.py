"""Where an event happened: as the gateway told before, or as Discord tells when it is asked."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from discord.http import Route

from adapters.discord.account import DiscordAccount
from adapters.discord.happening import Happening
from adapters.discord.lanes import Event
from adapters.discord.places import DIRECT, Place, unknown
from adapters.discord.servers import Servers
from adapters.discord.snowflakes import snowflake, snowflake_or_none
from adapters.payloads import NotUnderstood
from adapters.told import fields
from core.errors import PlatformError

#: A channel that could not be found out is asked for again after so long.
_UNKNOWN_S = 60.0
_KEPT = 10_000


class Asking(Protocol):
    """`DiscordRest`."""

    async def request(self, route: Route, *, params: Mapping[str, str | int] | None = None) -> object:
        """Raises PlatformError."""
        ...


class Whereabouts:
    def __init__(
        self, account: DiscordAccount, servers: Servers, rest: Asking, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.account = account
        self.servers = servers
        self._rest = rest
        self._clock = clock
        #: Channels that nobody tells of, and until when; the oldest first.
        self._asked: OrderedDict[str, tuple[Place, float]] = OrderedDict()

    def known(self, data: Mapping[str, object]) -> Place | None:
        """None where Discord has to be asked. Raises NotUnderstood."""
        channel, guild = snowflake(data.get("channel_id")), snowflake_or_none(data.get("guild_id"))
        if not guild:
            kind = data.get("channel_type", DIRECT)
            return unknown(channel, "", kind if isinstance(kind, int) else DIRECT)
        return self.servers.place(channel)

    async def place(self, data: Mapping[str, object]) -> Place:
        """Raises NotUnderstood."""
        return self.known(data) or await self._ask(data, snowflake(data.get("channel_id")))

    async def asleep(self, channel: str) -> Place | None:
        """A thread that was put away, so that no server tells of it; None where it is in none of those that are known.

        Raises PlatformError.
        """
        told = await self._rest.request(Route("GET", "/channels/{channel_id}", channel_id=channel))
        try:
            place = self.servers.keep(fields(told))
        except NotUnderstood:
            return None
        return place if self.servers.knows(place.guild) else None

    def happening(self, event: Event, place: Place) -> Happening:
        guild = place.guild
        name = partial(self.servers.name, guild)
        return Happening(event.kind, event.data, self.account, place, name, self.servers.own_role(guild), event.stamp)

    async def _ask(self, data: Mapping[str, object], channel: str) -> Place:
        place, until = self._asked.get(channel, (None, 0.0))
        if place is not None and until > self._clock():
            return place
        try:
            told = await self._rest.request(Route("GET", "/channels/{channel_id}", channel_id=channel))
            place = self.servers.keep(fields(told))
            until = self._clock() + _UNKNOWN_S
        except (PlatformError, NotUnderstood):
            kind = data.get("channel_type")
            place = unknown(channel, snowflake(data.get("guild_id")), kind if isinstance(kind, int) else None)
            until = self._clock() + _UNKNOWN_S
        self._asked[channel] = place, until
        self._asked.move_to_end(channel)
        while len(self._asked) > _KEPT:
            self._asked.popitem(last=False)
        return place
