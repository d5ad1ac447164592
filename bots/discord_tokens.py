"""The tokens of Discord's interactions, sealed in the database and gone when Discord forgets them."""

from adapters.discord.interaction_tokens import LIVES_S
from core.memory.secrets import Secrets


class SealedTokens:
    """Implements `InteractionTokens`."""

    def __init__(self, secrets: Secrets, bot: str) -> None:
        self._secrets = secrets
        self._bot = bot

    async def keep(self, interaction_id: str, token: str) -> None:
        """See `InteractionTokens`."""
        await self._secrets.put(self._name(interaction_id), token, LIVES_S)

    async def of(self, interaction_id: str) -> str | None:
        """See `InteractionTokens`."""
        return await self._secrets.get(self._name(interaction_id))

    def _name(self, interaction_id: str) -> str:
        return f"discord {self._bot} interaction {interaction_id}"
