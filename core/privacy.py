"""What people may have done by command with what they said: forgotten, or handed out. Implements `Privacy`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from core.dialogue import Person, SessionKey
from core.errors import BanterError
from core.memory.exporting import Consent, person_lines, session_lines
from core.memory.forgetting import forget_human, forget_session
from core.memory.identities import Identity, find_human
from core.memory.places import place_of
from core.memory.sessions import Session
from core.memory.steps import Steps
from core.responder import name_for_engine

logger = logging.getLogger(__name__)

#: The engine is told of so many wishes at once, each within so long.
_EVICTIONS = 16
_EVICTION_TIMEOUT_S = 10.0

#: Tells the engine to keep nothing that it has read for these sessions; () is all of them.
Evict = Callable[[Sequence[str]], Awaitable[object]]


class PrivacyByCommand:
    def __init__(self, consent: Consent, evict: Evict) -> None:
        self._consent = consent
        self._evict = evict
        self._evicting: set[asyncio.Task[None]] = set()

    async def forget_person(self, steps: Steps, person: Person, here: SessionKey) -> int:
        """See `Privacy`. What any session has read may hold their words: older turns are found across sessions."""
        human = await find_human(steps.connection, Identity(person.platform, person.platform_id))
        erased = await forget_human(steps.connection, human, place_of(here))
        self._evict_soon(())
        return erased.turns

    async def forget_session(self, steps: Steps, session: Session) -> int:
        """See `Privacy`."""
        erased = await forget_session(steps.connection, session)
        self._evict_soon((name_for_engine(session),))
        return erased.turns

    def export_person(self, steps: Steps, person: Person) -> AsyncIterator[str]:
        """See `Privacy`."""
        return person_lines(steps.connection, Identity(person.platform, person.platform_id), self._consent)

    def export_session(self, steps: Steps, session: Session) -> AsyncIterator[str]:
        """See `Privacy`."""
        return session_lines(steps.connection, session, self._consent)

    async def aclose(self) -> None:
        """What the engine is being told is told first."""
        await asyncio.gather(*self._evicting, return_exceptions=True)

    def _evict_soon(self, sessions: Sequence[str]) -> None:
        """Beside the transaction that is open: it does not wait for the engine."""
        if len(self._evicting) < _EVICTIONS:
            task = asyncio.create_task(self._evict_now(sessions))
            self._evicting.add(task)
            task.add_done_callback(self._evicting.discard)

    async def _evict_now(self, sessions: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(_EVICTION_TIMEOUT_S):
                await self._evict(sessions)
        except (BanterError, TimeoutError) as error:
            logger.warning("the engine was not told to forget: %s", error, extra={"action": "evict"})
