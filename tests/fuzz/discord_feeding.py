"""Spoilt gateway frames through the real receiver into a real inbox, and all that must not come of them."""

import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from discord.gateway import GatewayRatelimiter
from sqlalchemy import func, select

from adapters.discord.account import DiscordAccount
from adapters.discord.acked_tokens import AckedTokens
from adapters.discord.api import DiscordRest
from adapters.discord.endpoint import speak_to
from adapters.discord.gateway import LineOptions
from adapters.discord.native import Known, Native
from adapters.discord.receiver import DiscordReceiver, ReceiverOptions, Records
from adapters.discord.servers import Servers
from adapters.trouble import Pauses
from bots.discord_texts import label_book
from core.dialogue import Platform
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.inbox import Inbox
from core.memory.tables import DEAD, InboxRow
from core.policy import Manner, Policy
from core.ports import Accept, Arrival, Cursor
from core.reception import Reception
from core.redaction import without_secrets
from core.texts import Texts
from tests.fuzz.discord_mutating import DiscordMutator, beginning, sound_frame
from tests.fuzz.telegram_mutating import drawn_values
from tests.integration.discord.native_stage import OPINIONS, SEALS, Offered, PaperTokens
from tests.integration.discord.receiving import Alone, Kept
from tests.integration.discord.spoilt_discord import SpoiltDiscord, serving_spoilt_discord
from tests.unit.discord.happenings import BOT

#: Nothing takes so long between two frames.
_STALL_S = 30.0
#: Every so many inputs somebody says something that must not get lost.
_SOUND_EVERY = 25
_QUICK = Pauses(0.01, 0.02, 0.02)
#: What the log may say of such input; all else is a fault.
_EXPECTED = (
    "an event was not understood",
    "what came from the gateway can't be read",
    "an interaction was not",
)


class Fault(AssertionError):
    """Something came of an input that must not."""


@dataclass(slots=True)
class Fed:
    frames: int = 0
    sound: int = 0
    #: What it was understood as.
    kinds: Counter[str] = field(default_factory=Counter)
    #: As the inbox holds them.
    dead: int = 0
    dead_letters: set[str] = field(default_factory=set)
    #: How many connections, sessions and answered interactions there were.
    sockets: int = 0
    sessions: int = 0
    callbacks: int = 0


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

    async def __call__(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        await self._accept(arrivals, cursor)
        for arrival in arrivals:
            self._fed.kinds[type(arrival.inbound).__name__] += 1
            if arrival.error:
                self._fed.dead_letters.add(without_secrets(arrival.raw))


async def feed(url: str, inputs: int, number: int) -> Fed:
    """`number` is the seed. Raises Fault."""
    chance = random.Random(number)
    mutator = DiscordMutator(drawn_values(number), chance)
    frames = [_sound(one) if one % _SOUND_EVERY == 0 else mutator.frame(one) for one in range(1, inputs + 1)]
    fed, complaints = Fed(len(frames)), _Complaints()
    names = ("adapters", "core", "asyncio")
    for name in names:
        logging.getLogger(name).addHandler(complaints)
    try:
        async with Database(url, synchronous="normal") as database:
            await _feed(database, frames, fed)
            await _judge(database, fed, inputs)
    finally:
        for name in names:
            logging.getLogger(name).removeHandler(complaints)
    if complaints.lines:
        raise Fault(f"the log says {complaints.lines[:5]}")
    return fed


def _sound(number: int) -> str:
    return sound_frame(f"sound {number}", number)


async def _feed(database: Database, frames: list[str], fed: Fed) -> None:
    writes = GroupedWrites(database)
    inbox = Inbox(database, writes, b"secret")
    policy = Policy(Manner("banter"))
    watched = _Watched(Reception((Platform.DISCORD, BOT), inbox, policy, lambda _urgent: None), fed)
    answers = {"/users/@me": {"id": BOT, "username": "banter"}, "/applications/@me": {"id": BOT, "flags": 1 << 18}}
    async with serving_spoilt_discord([], [], {**answers, "/messages": [7, {"id": "5"}, {}]}) as discord:
        discord.beginning = beginning(discord.url)
        discord.frames.extend(frames)
        async with _receiving(discord, watched) as running:
            await _follow(discord, running)
            await _until_kept(len(frames) // _SOUND_EVERY, database)
        fed.sockets, fed.sessions, fed.callbacks = discord.sockets, discord.sessions, discord.callbacks
    await writes.aclose()


@asynccontextmanager
async def _receiving(discord: SpoiltDiscord, accept: Accept) -> AsyncIterator[asyncio.Task[None]]:
    speak_to(f"{discord.url}/api/v10")
    rest, account, servers = DiscordRest("a-token"), DiscordAccount(BOT), Servers(BOT)
    known = Known(BOT, OPINIONS, SEALS, servers.knows)
    native = Native(known, rest, AckedTokens(PaperTokens()), Offered(), label_book(Texts(), "en"))
    line = LineOptions("a-token", short_s=0.0, invalid_s=(0.0, 0.0), pauses=_QUICK)
    usual = ReceiverOptions(line, apart_s=0.0)
    options = replace(usual, catch_up=replace(usual.catch_up, pauses=_QUICK))
    receiver = DiscordReceiver(account, servers, rest, native, Records(Kept(), Alone()), options)
    running = asyncio.create_task(receiver.run(accept))
    usual_rate = GatewayRatelimiter.__init__.__defaults__
    GatewayRatelimiter.__init__.__defaults__ = (
        1 << 30,
        60.0,
    )  # each frame is followed by a heartbeat that is asked for
    try:
        yield running
        if running.done():
            raise Fault("the receiver ended") from running.exception()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await rest.aclose()
        GatewayRatelimiter.__init__.__defaults__ = usual_rate
        speak_to()


async def _follow(discord: SpoiltDiscord, running: asyncio.Task[None]) -> None:
    """Until every frame was told."""
    while discord.frames and not running.done():
        discord.changed.clear()
        try:
            async with asyncio.timeout(_STALL_S):
                await discord.changed.wait()
        except TimeoutError:
            raise Fault(f"the gateway stalls with {len(discord.frames)} frames left") from None


async def _until_kept(wanted: int, database: Database) -> None:
    deadline = asyncio.get_running_loop().time() + _STALL_S
    while await _sound_ones(database) < wanted and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def _sound_ones(database: Database) -> int:
    async with database.reading() as connection:
        asked = select(func.count()).where(InboxRow.inbound.contains('"sound '))
        return int((await connection.execute(asked)).scalar_one())


async def _judge(database: Database, fed: Fed, inputs: int) -> None:
    async with database.reading() as connection:
        asked = select(func.count()).where(InboxRow.state == DEAD)
        fed.dead = int((await connection.execute(asked)).scalar_one())
        rows = (await connection.execute(select(InboxRow.kind, InboxRow.inbound, InboxRow.raw))).all()
    said = Counter(json.loads(inbound)["text"] for kind, inbound, _ in rows if kind == "message" and inbound)
    wanted = [f"sound {number}" for number in range(_SOUND_EVERY, inputs + 1, _SOUND_EVERY)]
    fed.sound = sum(said[text] == 1 for text in wanted)
    if fed.sound != len(wanted):
        raise Fault(f"{len(wanted) - fed.sound} sound messages got lost or were doubled")
    if any('"token": ' in str(raw) for _, _, raw in rows):
        raise Fault("an interaction's token was kept in clear")
    if fed.dead < len(fed.dead_letters):
        raise Fault(f"{len(fed.dead_letters)} were not understood, and {fed.dead} are kept as dead letters")
