"""The tokens of interactions, given out when Discord was told that their answers will come.

It takes no answer before. What an interaction says is stored first, and may be answered at the same moment; where that
is in this process, whoever answers waits for the little that is left.
"""

import asyncio
import contextlib

from adapters.discord.interaction_tokens import InteractionTokens

#: No longer than Discord itself waits.
_WAIT_S = 3.0


class AckedTokens:
    """Implements `InteractionTokens`."""

    def __init__(self, tokens: InteractionTokens, wait_s: float = _WAIT_S) -> None:
        self._tokens = tokens
        self._wait_s = wait_s
        #: Interactions that were not acknowledged yet.
        self._early: dict[str, asyncio.Event] = {}

    async def keep(self, interaction_id: str, token: str) -> None:
        """See `InteractionTokens`; `acked` has to follow."""
        self._early.setdefault(interaction_id, asyncio.Event())
        await self._tokens.keep(interaction_id, token)

    def acked(self, interaction_id: str) -> None:
        """Or it will never be."""
        early = self._early.pop(interaction_id, None)
        if early is not None:
            early.set()

    async def of(self, interaction_id: str) -> str | None:
        """See `InteractionTokens`."""
        early = self._early.get(interaction_id)
        if early is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._wait_s):
                    await early.wait()
        return await self._tokens.of(interaction_id)
