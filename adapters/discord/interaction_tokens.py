"""Where the tokens of interactions are kept until Discord forgets them: each lets anybody speak as the bot."""

from typing import Protocol

#: So long Discord takes a token.
LIVES_S = 900.0


class InteractionTokens(Protocol):
    """Both methods raise StorageError."""

    async def keep(self, interaction_id: str, token: str) -> None: ...

    async def of(self, interaction_id: str) -> str | None:
        """None where it was never kept, or its time is over."""
        ...
