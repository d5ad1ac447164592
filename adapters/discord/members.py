"""What a server knows of who speaks there: history tells neither their names there nor their roles.

It is asked for where the message may be for the bot, and remembered for a while; it is done without where Discord does
not tell.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from discord.http import Route

from adapters.discord.people import is_a_bots
from adapters.discord.places import Place
from adapters.discord.whereabouts import Asking
from adapters.payloads import found_in, list_in, text_in
from core.errors import PlatformAway, PlatformError, PlatformRefused

_KEPT = 1000
_KEPT_S = 600.0


class Members:
    def __init__(self, own_id: str, rest: Asking, clock: Callable[[], float] = time.monotonic) -> None:
        self._own_id = own_id
        self._rest = rest
        self._clock = clock
        #: Server and person → what is known, and until when; the oldest first.
        self._known: OrderedDict[tuple[str, str], tuple[object, float]] = OrderedDict()

    async def told_with(self, message: Mapping[str, object], place: Place) -> Mapping[str, object]:
        """The message as the gateway tells it. Raises PlatformError where Discord is away."""
        if not place.guild:
            return message
        whole = {**message, "guild_id": place.guild}
        user = text_in(message, "author", "id")
        if user and not is_a_bots(message) and (place.is_thread or self._is_called(message)):
            whole["member"] = await self._member(place.guild, user)
        return whole

    def _is_called(self, message: Mapping[str, object]) -> bool:
        """Whether it may be for the bot."""
        mentioned = any(text_in(user, "id") == self._own_id for user in list_in(message, "mentions"))
        replied = found_in(message, "referenced_message", "author", "id") == self._own_id
        return mentioned or replied or bool(list_in(message, "mention_roles"))

    async def _member(self, guild: str, user: str) -> object:
        member, until = self._known.get((guild, user), (None, 0.0))
        if until > self._clock():
            return member
        route = Route("GET", "/guilds/{guild_id}/members/{user_id}", guild_id=guild, user_id=user)
        try:
            member = await self._rest.request(route)
        except PlatformRefused:
            member = None  # they have left
        except PlatformAway:
            raise
        except PlatformError:
            return None
        self._known[guild, user] = member, self._clock() + _KEPT_S
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return member
