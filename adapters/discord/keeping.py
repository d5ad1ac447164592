"""Events → what they say → the core, until it is kept. Nothing is passed over because the database is away."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from adapters.discord.happening import Happening
from adapters.discord.inbound import to_inbound
from adapters.discord.kept import raw_of
from adapters.handing_over import hand_over
from adapters.payloads import NotUnderstood
from adapters.trouble import Pauses, Trouble
from core.dialogue import InboundMessage
from core.errors import StorageError
from core.ports import Accept, Arrival, Cursor

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeepingLimits:
    #: One try.
    accept_s: float = 30.0
    pauses: Pauses = field(default_factory=lambda: Pauses(0.2, 5.0, 5.0))


class Keeping:
    """Of one account's receiver."""

    def __init__(self, accept: Accept, limits: KeepingLimits = KeepingLimits()) -> None:
        self._accept = accept
        self._limits = limits
        self._trouble = Trouble("discord", limits.pauses)

    async def keep(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        """Committed when it returns. Raises StorageError."""
        if not arrivals and cursor is None:
            return
        try:
            async with asyncio.timeout(self._limits.accept_s):
                await hand_over(self._accept, arrivals, cursor)
        except TimeoutError:
            raise StorageError("what came from Discord was not kept in time") from None

    async def paused(self, error: StorageError) -> None:
        """It is said once, and a while has passed."""
        await self._trouble.met("database", f"what came from Discord could not be kept, and is tried again: {error}")

    def passed(self) -> None:
        self._trouble.passed()


def arrivals_of(happening: Happening, *, is_late: bool = False) -> list[Arrival]:
    """Whatever is in it."""
    try:
        raw = raw_of(happening.data)
        return [Arrival(raw, _late(one) if is_late else one) for one in to_inbound(happening)]
    except NotUnderstood as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 - what comes next must not wait for it
        reason = type(error).__name__  # its words may be a person's
    return [dead(happening, reason)]


def dead(happening: Happening, reason: str) -> Arrival:
    return Arrival(raw_of(happening.data), None, f"an event was not understood: {reason}")


def _late(inbound: object) -> InboundMessage:
    """No thread is begun for a note."""
    assert isinstance(inbound, InboundMessage)  # noqa: S101 - history holds nothing else
    key = replace(inbound.session_key, thread="") if inbound.wants_title else inbound.session_key
    return replace(inbound, session_key=key, wants_title=False, is_late=True)
