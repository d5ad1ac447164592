"""What the bot asks the gateway for. Without the Message Content intent it still hears who calls it."""

import logging
from enum import StrEnum

import discord

from adapters.discord.api import DiscordRest
from adapters.payloads import found_in

logger = logging.getLogger(__name__)

#: The intent is switched on in the developer portal: for a bot that was reviewed, or that needs no review.
_GRANTED, _GRANTED_UNREVIEWED = 1 << 18, 1 << 19
_LOST = (
    "Discord does not let the bot read what does not call it: the Message Content intent is switched off. It goes on "
    "without; `banter doctor` tells how to switch it on"
)


class Wanted(StrEnum):
    #: Where Discord grants it.
    AUTO = "auto"
    ON = "on"
    OFF = "off"


class Application:
    """Of one account's receiver."""

    def __init__(self, rest: DiscordRest, content: Wanted = Wanted.AUTO) -> None:
        self._rest = rest
        self._content = content
        self._was_refused = False

    async def intents(self) -> discord.Intents:
        """Raises PlatformError."""
        intents = discord.Intents.none()
        intents.guilds = intents.guild_messages = intents.dm_messages = True
        intents.guild_reactions = intents.dm_reactions = True
        intents.message_content = await self._reads_content()
        return intents

    def lose_content(self) -> bool:
        """The gateway refused it; whether it makes sense to go on without."""
        if self._was_refused or self._content is Wanted.OFF:
            return False
        self._was_refused = True
        logger.warning(_LOST, extra={"action": "receive", "platform": "discord"})
        return True

    async def _reads_content(self) -> bool:
        if self._was_refused or self._content is not Wanted.AUTO:
            return not self._was_refused and self._content is Wanted.ON
        return grants_content(await self._rest.application())


def grants_content(application: object) -> bool:
    """Of what GET /applications/@me told."""
    flags = found_in(application, "flags")
    return isinstance(flags, int) and bool(flags & (_GRANTED | _GRANTED_UNREVIEWED))
