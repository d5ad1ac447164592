"""The way to Discord's REST API, as whoever asks and answers there needs it."""

from collections.abc import Mapping
from typing import Protocol

from discord.http import Route

from adapters.discord.paced_http import Manner


class Rest(Protocol):
    """`DiscordRest`. Both methods raise PlatformError."""

    async def application(self) -> object:
        """What Discord tells of the bot's application."""
        ...

    async def request(
        self,
        route: Route,
        *,
        json: object = None,
        params: Mapping[str, str | int] | None = None,
        manner: Manner = Manner.ASKED,
    ) -> object: ...
