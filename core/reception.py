"""What adapters hand in → the inbox. When `accept` returns, a platform may be acked.

A message that is not for the bot moves the cursor and is not stored. What could not be understood is stored as a dead
letter, and blocks nothing.
"""

import logging
from collections.abc import Callable, Sequence

from core.commands import Command, parse
from core.dialogue import Edit, Feedback, Inbound, InboundMessage, Kind, Opinion, Platform
from core.memory.inbox import Entry, Inbox
from core.memory.store import Memory
from core.policy import Attention, Policy
from core.ports import Arrival, Cursor
from core.redaction import without_secrets

logger = logging.getLogger(__name__)

#: Carried out at once, beside the reply that they are about.
_URGENT_COMMANDS = frozenset({"stop"})
_URGENT_OPINIONS = frozenset({Opinion.GOOD, Opinion.BAD, Opinion.STOP})


class Reception:
    """Implements `Accept` for one account on one platform."""

    def __init__(
        self,
        account: tuple[Platform, str],
        inbox: Inbox,
        memory: Memory,
        policy: Policy,
        wake: Callable[[bool], None],
        burst_s: float = 0.0,
    ) -> None:
        """`wake` is called after each commit; its argument says whether something urgent came."""
        self._platform, self._bot = account
        self._inbox = inbox
        self._memory = memory
        self._policy = policy
        self._wake = wake
        self._burst_s = burst_s

    async def __call__(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        """See `Accept`."""
        entries = [entry for arrival in arrivals if (entry := await self._entry(arrival)) is not None]
        if await self._inbox.accept(entries, cursor):
            self._wake(any(entry.urgent for entry in entries))

    async def _entry(self, arrival: Arrival) -> Entry | None:
        inbound = arrival.inbound
        if inbound is None and not arrival.error:
            return None
        if isinstance(inbound, InboundMessage) and not await self._is_for_us(inbound):
            return None
        if arrival.error:
            logger.warning("an event was not understood", extra={"action": "dead_letter", "platform": self._platform})
        return Entry(
            platform=self._platform,
            bot=self._bot,
            inbound=inbound,
            raw=without_secrets(arrival.raw),
            reason=arrival.error,
            urgent=inbound is not None and is_urgent(inbound),
            settles_s=self._burst_s if isinstance(inbound, InboundMessage) else 0.0,
        )

    async def _is_for_us(self, message: InboundMessage) -> bool:
        attention = self._policy.attention(message)
        if attention is Attention.FOLLOW_UP:
            return await self._memory.has_session(message.session_key)
        return attention is Attention.ANSWER


def is_urgent(inbound: Inbound) -> bool:
    if isinstance(inbound, InboundMessage):
        said = parse(inbound.text)
        return isinstance(said, Command) and said.name in _URGENT_COMMANDS
    if isinstance(inbound, Feedback):
        return inbound.opinion in _URGENT_OPINIONS
    return isinstance(inbound, Edit) or inbound.event_key.kind is Kind.DELETION
