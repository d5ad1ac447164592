"""The tokens of Discord's interactions, sealed in the database and gone when Discord forgets them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from adapters.discord.interaction_tokens import LIVES_S
from core.errors import StorageError
from core.memory.secrets import Secrets

logger = logging.getLogger(__name__)

_LOOK_S = 60.0


class SealedTokens:
    """Implements `InteractionTokens`, for one bot."""

    def __init__(self, secrets: Secrets, bot: str) -> None:
        self._secrets = secrets
        self._bot = bot

    async def keep(self, interaction_id: str, token: str) -> None:
        """See `InteractionTokens`."""
        await self._secrets.put(self._name(interaction_id), token, LIVES_S)

    async def of(self, interaction_id: str) -> str | None:
        """See `InteractionTokens`."""
        return await self._secrets.get(self._name(interaction_id))

    async def keep_forgetting(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Deletes those that are over, until it is cancelled. They open nothing even before."""
        while True:
            try:
                await self._secrets.purge()
            except StorageError as error:
                logger.info("old tokens were not deleted: %s", error, extra={"action": "purge"})
            await sleep(_LOOK_S)

    def _name(self, interaction_id: str) -> str:
        return f"discord {self._bot} interaction {interaction_id}"
