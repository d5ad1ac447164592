"""A bot that is fed, and everything that must not come of it: a crash, a stall, an error of the database."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy import func, select

from bots.walk import Ground, Walk, open_walk
from core.memory.database import Database
from core.memory.exporting import Consent
from core.memory.tables import OPEN_STATES, InboxRow
from core.policy import Calling, Calls, Manner, Policy
from core.privacy import PrivacyByCommand
from core.voice import Voices
from tests.fuzz.inputs import BOT, PLATFORM, Batch
from tests.platforms.kinds import DISCORD
from tests.platforms.paper_bot import OPTIONS, account
from tests.platforms.paper_model import PaperModel
from tests.platforms.paper_platform import PaperPlatform
from tests.platforms.paper_sender import local_wire

#: No batch may take so long.
_STALL_S = 60.0
_LOOK_S = 0.005
#: What the log may say of such input; all else is a fault.
_EXPECTED = ("an event was not understood", "That message has")
_KIND = replace(DISCORD, limit_chars=2000, capabilities=replace(DISCORD.capabilities, edit_interval_s=0.01))
_POLICY = Policy(Manner("banter", calls=Calls(frozenset(Calling), ("!", "hey"), ("banter",)), overhears=True))


class Fault(AssertionError):
    """Something came of an input that must not."""


class _Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@dataclass(slots=True)
class Feeder:
    walk: Walk
    database: Database
    complaints: _Complaints
    #: How many events there were, by what they ended as.
    ends: Counter[str] = field(default_factory=Counter)
    inputs: int = 0

    async def feed(self, batch: Batch) -> None:
        """Raises Fault."""
        arrivals, cursor = batch
        self.inputs += len(arrivals)
        try:
            async with asyncio.timeout(_STALL_S):
                await self.walk.accepts[PLATFORM, BOT](arrivals, cursor)
                while await self._open():  # noqa: ASYNC110 - the database has no event
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise Fault(f"stalled with {await self._open()} events open, after {arrivals!r}") from None
        if not self.walk.lives:
            raise Fault(f"the program ended, after {arrivals!r}")
        self._require_silence(arrivals)

    async def count(self) -> None:
        """What became of all of them."""
        async with self.database.reading() as connection:
            states = select(InboxRow.state, func.count()).group_by(InboxRow.state)
            self.ends = Counter({row[0]: row[1] for row in await connection.execute(states)})

    async def _open(self) -> int:
        asked = select(func.count()).where(InboxRow.state.in_(OPEN_STATES))
        async with self.database.reading() as connection:
            return await connection.scalar(asked) or 0

    def _require_silence(self, arrivals: Sequence[object]) -> None:
        for record in self.complaints.records:
            if not any(words in record.getMessage() for words in _EXPECTED):
                raise Fault(f"the log says {record.getMessage()!r} after {arrivals!r}") from (
                    record.exc_info or [None] * 2
                )[1]
        self.complaints.records.clear()


@asynccontextmanager
async def feeding(database: Database, voices: Voices) -> AsyncIterator[Feeder]:
    complaints = _Complaints()
    privacy = PrivacyByCommand(Consent(), _evict)
    ground = Ground(database, PaperModel(), voices, privacy=privacy)
    accounts = [account(_KIND, local_wire(PaperPlatform(_KIND)))]
    options = replace(OPTIONS, policy=_POLICY, answer=replace(OPTIONS.answer, notice_after_s=30.0))
    logging.getLogger().addHandler(complaints)
    try:
        async with open_walk(ground, accounts, options) as walk:
            feeder = Feeder(walk, database, complaints)
            yield feeder
            await feeder.count()
        await privacy.aclose()
    finally:
        logging.getLogger().removeHandler(complaints)


async def _evict(_sessions: Sequence[str]) -> None: ...
