"""Spoilt updates through the real polling loop into a real inbox, and everything that must not come of it."""

import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select

from adapters.telegram.moves import Moves
from adapters.telegram.polling import OFFSET, Polling, PollingLimits
from adapters.telegram.updates import Updates
from core.dialogue import Platform
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.inbox import Inbox
from core.memory.tables import DEAD, InboxRow
from core.policy import Manner, Policy
from core.ports import Accept, Arrival, Cursor
from core.reception import Reception
from tests.fuzz.telegram_mutating import Mutator, drawn_values
from tests.integration.telegram.listening import QUICK
from tests.integration.telegram.spoilt_telegram import SpoiltTelegram, serving_spoilt
from tests.unit.telegram.recorded import ACCOUNT, PlainButtons, all_recorded

#: No answer of a hundred updates may take so long.
_STALL_S = 30.0
#: Every so many updates somebody says something that must not get lost.
_SOUND_EVERY = 25
_EXPECTED = ("an event was not understood", "the bot is listened to again")


class Fault(AssertionError):
    """Something came of an update that must not."""


@dataclass(slots=True)
class Fed:
    updates: int = 0
    sound: int = 0
    #: Told apart by what they were understood as.
    kinds: Counter[str] = field(default_factory=Counter)
    #: As the inbox holds them.
    dead: int = 0
    dead_letters: set[str] = field(default_factory=set)


class _Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not any(words in record.getMessage() for words in _EXPECTED):
            self.lines.append(record.getMessage())


class _Watched:
    """Passes on what comes, and remembers what it was."""

    def __init__(self, accept: Accept, fed: Fed) -> None:
        self._accept = accept
        self._fed = fed
        self.moved = asyncio.Event()
        self.offset = 1

    async def __call__(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        await self._accept(arrivals, cursor)
        for arrival in arrivals:
            self._fed.kinds[type(arrival.inbound).__name__] += 1
            if arrival.error:
                self._fed.dead_letters.add(arrival.raw)
        if cursor is not None:
            self.offset = cursor.value
            self.moved.set()


async def feed(url: str, updates: int, number: int) -> Fed:
    """`number` is the seed. Raises Fault."""
    chance = random.Random(number)
    mutator = Mutator(all_recorded(), drawn_values(number), chance)
    given = [_sound(one) if one % _SOUND_EVERY == 0 else mutator.update(one) for one in range(1, updates + 1)]
    fed = Fed(updates)
    complaints = _Complaints()
    for name in ("adapters", "core"):
        logging.getLogger(name).addHandler(complaints)
    try:
        async with Database(url, synchronous="normal") as database:
            await _feed(database, SpoiltTelegram(*given), fed)
            await _judge(database, fed)
    finally:
        for name in ("adapters", "core"):
            logging.getLogger(name).removeHandler(complaints)
    if complaints.lines:
        raise Fault(f"the log says {complaints.lines[:5]}")
    return fed


async def _feed(database: Database, telegram: SpoiltTelegram, fed: Fed) -> None:
    writes = GroupedWrites(database)
    inbox = Inbox(database, writes, b"secret")
    account = (Platform.TELEGRAM, ACCOUNT.id)
    watched = _Watched(Reception(account, inbox, Policy(Manner("banter")), lambda _urgent: None), fed)
    async with serving_spoilt(telegram) as address:
        polling = Polling(address, Updates(ACCOUNT, PlainButtons()), Moves(), PollingLimits(0, QUICK))
        running = asyncio.create_task(polling.run(watched))
        try:
            await _follow(running, watched, len(telegram.updates))
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await writes.aclose()
    if await inbox.cursor(*account, OFFSET) != len(telegram.updates) + 1:
        raise Fault("the offset is not that of the last update")


async def _follow(running: asyncio.Task[None], watched: _Watched, updates: int) -> None:
    """To the last one."""
    while watched.offset <= updates:
        watched.moved.clear()
        moving = asyncio.create_task(watched.moved.wait())
        done, _ = await asyncio.wait({running, moving}, timeout=_STALL_S, return_when=asyncio.FIRST_COMPLETED)
        moving.cancel()
        if running in done:
            raise Fault(f"the loop ended behind update {watched.offset}") from running.exception()
        if not done:
            raise Fault(f"the loop stalls behind update {watched.offset}")


async def _judge(database: Database, fed: Fed) -> None:
    async with database.reading() as connection:
        asked = select(func.count()).where(InboxRow.state == DEAD)
        fed.dead = int((await connection.execute(asked)).scalar_one())
        texts = select(InboxRow.inbound).where(InboxRow.kind == "message")
        said = {json.loads(text)["text"] for text in (await connection.execute(texts)).scalars() if text}
    fed.sound = sum(f"sound {number}" in said for number in range(_SOUND_EVERY, fed.updates + 1, _SOUND_EVERY))
    if fed.sound != fed.updates // _SOUND_EVERY:
        raise Fault(f"{fed.updates // _SOUND_EVERY - fed.sound} sound messages got lost")
    if fed.dead < len(fed.dead_letters):
        raise Fault(f"{len(fed.dead_letters)} were not understood, and {fed.dead} are kept as dead letters")


def _sound(number: int) -> bytes:
    person = {"id": 5001, "is_bot": False, "first_name": "Anna"}
    chat = {"id": 5001, "type": "private", "first_name": "Anna"}
    message = {"message_id": 10**6 + number, "from": person, "chat": chat, "date": 1795000000}
    return json.dumps({"update_id": number, "message": message | {"text": f"sound {number}"}}).encode()
