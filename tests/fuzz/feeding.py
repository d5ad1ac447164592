"""A bot that is fed, and everything that must not come of it: a crash, a stall, an error of the database."""

import asyncio
import itertools
import logging
import traceback
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy import func, select

from bots.walk import Ground, Walk, open_walk
from core.dialogue import Deletion, Edit, Feedback, InboundMessage
from core.memory.backlog import read_backlog
from core.memory.database import Database
from core.memory.exporting import Consent
from core.memory.tables import InboxRow
from core.policy import Calling, Calls, Manner, Policy
from core.ports import Arrival
from core.privacy import PrivacyByCommand
from core.quotas import Amount, Quotas
from core.voice import Voices
from tests.fuzz.inputs import AIM, BOT, FRESH, PLATFORM, Batch
from tests.platforms.kinds import DISCORD
from tests.platforms.paper_bot import OPTIONS, account
from tests.platforms.paper_model import PaperModel, answer_to
from tests.platforms.paper_platform import PaperPlatform
from tests.platforms.paper_sender import local_wire

#: No batch may take so long.
_STALL_S = 60.0
_LOOK_S = 0.02
#: So many of the bot's messages stay on the platform.
_SEEN = 500
#: What the log may say of such input; all else is a fault.
_EXPECTED = (
    "an event was not understood",
    "a lease was lost",  # a channel that moves takes its lease with it
    "was refused: ChannelMoved",
    "is no longer in session",  # it was forgotten, or its channel moved, while it was answered
)
_KIND = replace(DISCORD, limit_chars=2000, capabilities=replace(DISCORD.capabilities, edit_interval_s=0.01))
_MANNER = Manner("banter", calls=Calls(frozenset(Calling), ("!", "hey"), ("banter",)), overhears=True)
_POLICY = Policy(_MANNER, quotas=Quotas(workspace=Amount(messages=2000)))


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
    platform: PaperPlatform
    latest: deque[InboundMessage] = field(default_factory=lambda: deque(maxlen=20))
    numbers: Iterator[int] = field(default_factory=itertools.count)
    #: How many events there were, by what they ended as.
    ends: Counter[str] = field(default_factory=Counter)
    inputs: int = 0

    async def feed(self, batch: Batch) -> None:
        """Raises Fault."""
        arrivals, cursor = [self._aimed(arrival) for arrival in batch[0]], batch[1]
        self.inputs += len(arrivals)
        try:
            async with asyncio.timeout(_STALL_S):
                await self.walk.accepts[PLATFORM, BOT](arrivals, cursor)
                while await self._open():  # noqa: ASYNC110 - the database has no event
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise Fault(f"stalled with {await self._open()} events open, after {_short(arrivals)}") from None
        if not self.walk.lives:
            raise Fault(f"the program ended, after {_short(arrivals)}")
        self._require_silence(arrivals)
        self._forget_old_messages()

    def _aimed(self, arrival: Arrival) -> Arrival:
        """What is about one of the latest messages is about one that there is, or about its answer."""
        inbound = arrival.inbound
        if isinstance(inbound, InboundMessage):
            if inbound.message_id == FRESH:
                inbound = replace(inbound, message_id=f"n{next(self.numbers)}")
            self.latest.append(inbound)
        elif isinstance(inbound, Edit | Deletion | Feedback) and inbound.message_id.startswith(AIM) and self.latest:
            number = int(inbound.message_id.removeprefix(AIM))
            target = self.latest[-1 - number % len(self.latest)]
            message_id = target.message_id
            if isinstance(inbound, Feedback):
                replies = [seen for seen in self.platform.messages.values() if seen.reply_to == message_id]
                message_id = replies[-1].handle if replies else message_id
            inbound = replace(inbound, session_key=target.session_key, message_id=message_id)
            if isinstance(inbound, Edit | Feedback):
                inbound = replace(inbound, person=target.person)
        return replace(arrival, inbound=inbound)

    async def count(self) -> None:
        """What became of all of them."""
        async with self.database.reading() as connection:
            states = select(InboxRow.state, func.count()).group_by(InboxRow.state)
            self.ends = Counter({row[0]: row[1] for row in await connection.execute(states)})

    async def _open(self) -> int:
        open_events = await read_backlog(self.database)
        return open_events.waiting + open_events.begun

    def _forget_old_messages(self) -> None:
        """The platform looks through all that it has; a bot that is asked about what is gone finds nothing there."""
        self.platform.log.clear()
        for handle in list(self.platform.messages)[:-_SEEN]:
            del self.platform.messages[handle]

    def _require_silence(self, arrivals: Sequence[Arrival]) -> None:
        for record in self.complaints.records:
            if not any(words in record.getMessage() for words in _EXPECTED):
                trace = "".join(traceback.format_exception(record.exc_info[1])) if record.exc_info else ""
                raise Fault(f"{trace}the log says {record.getMessage()!r} after\n{_short(arrivals)}")
        self.complaints.records.clear()


def _short(arrivals: Sequence[Arrival]) -> str:
    return "\n".join(f"{arrival.inbound!r:.1000} {arrival.error!r:.100} {arrival.raw!r:.100}" for arrival in arrivals)


@asynccontextmanager
async def feeding(database: Database, voices: Voices) -> AsyncIterator[Feeder]:
    complaints = _Complaints()
    privacy = PrivacyByCommand(Consent(), _evict)
    ground = Ground(database, PaperModel(lambda question: answer_to(question[-60:])), voices, privacy=privacy)
    platform = PaperPlatform(_KIND)
    accounts = [account(_KIND, local_wire(platform))]
    options = replace(OPTIONS, policy=_POLICY, answer=replace(OPTIONS.answer, notice_after_s=30.0))
    logging.getLogger("core").addHandler(complaints)
    try:
        async with open_walk(ground, accounts, options) as walk:
            feeder = Feeder(walk, database, complaints, platform)
            yield feeder
            await feeder.count()
        await privacy.aclose()
    finally:
        logging.getLogger("core").removeHandler(complaints)


async def _evict(_sessions: Sequence[str]) -> None: ...
