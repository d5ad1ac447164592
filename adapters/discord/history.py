"""What was said in a channel, as Discord remembers it."""

from collections.abc import Mapping

from discord.http import Route

from adapters.discord.members import Members
from adapters.discord.places import Place
from adapters.discord.snowflakes import number_in
from adapters.discord.whereabouts import Asking
from core.errors import PlatformAway

#: Discord gives no more at once.
PAGE = 100


class History:
    def __init__(self, rest: Asking, members: Members) -> None:
        self._rest = rest
        self._members = members

    async def after(self, place: Place, message: int) -> list[Mapping[str, object]]:
        """The oldest that are newer, in their order; less than a `PAGE` where there are no more.

        Raises PlatformError.
        """
        return await self._page(place, {"after": str(message), "limit": PAGE})

    async def before(self, place: Place, message: int) -> list[Mapping[str, object]]:
        """The newest that are older, in their order. Raises PlatformError."""
        return await self._page(place, {"before": str(message), "limit": PAGE})

    async def _page(self, place: Place, params: Mapping[str, str | int]) -> list[Mapping[str, object]]:
        """As the gateway would have told them."""
        told = await self._rest.request(
            Route("GET", "/channels/{channel_id}/messages", channel_id=place.id), params=params
        )
        if not isinstance(told, list):
            raise PlatformAway("what came instead of Discord's answer can't be read")
        found = sorted((one for one in told if isinstance(one, Mapping)), key=lambda one: number_in(one, "id"))
        return [await self._members.told_with(one, place) for one in found]
