"""A receiver at work on the local Discord, what it hands over, and what it remembers of that."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from discord.http import Route

from adapters.discord.account import DiscordAccount
from adapters.discord.api import DiscordRest
from adapters.discord.application import Wanted
from adapters.discord.back_fill import CatchUp
from adapters.discord.endpoint import speak_to
from adapters.discord.gateway import LineOptions
from adapters.discord.keeping import KeepingLimits
from adapters.discord.lanes import LaneLimits
from adapters.discord.receiver import DiscordReceiver, ReceiverOptions, Records
from adapters.discord.servers import Servers
from adapters.discord.shard_claims import ShardClaims
from adapters.trouble import Pauses
from bots.sandbox.local_discord.driver import LocalDiscord
from core.dialogue import InboundMessage
from core.errors import DatabaseAway
from core.ports import Accept, Arrival, Cursor

DEADLINE_S = 20.0
QUICK = Pauses(first_s=0.02, longest_s=0.1, slow_s=0.2)


class Kept:
    """Implements `Accept` and `Marks`, in memory: as a database, it outlives receivers."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.marks: dict[str, int] = {}
        #: While it is not set, nothing is kept.
        self.opened = asyncio.Event()
        self.opened.set()
        self.is_away = False
        self.calls = 0
        #: How many arrivals came together.
        self.batches: list[int] = []
        self._changed = asyncio.Condition()

    async def __call__(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        self.calls += 1
        await self._tell()
        await self.opened.wait()
        if self.is_away:
            raise DatabaseAway("the database is away")
        self.arrivals += arrivals
        self.batches.append(len(arrivals))
        if cursor is not None:
            self.marks[cursor.name] = max(cursor.value, self.marks.get(cursor.name, 0))
        await self._tell()

    async def known(self) -> Mapping[str, int]:
        if self.is_away:
            raise DatabaseAway("the database is away")
        return dict(self.marks)

    @property
    def said(self) -> list[InboundMessage]:
        """Of people, each once, however often it came."""
        found = [one.inbound for one in self.arrivals if isinstance(one.inbound, InboundMessage)]
        return list({one.event_key: one for one in reversed(found) if not one.is_from_bot}.values())[::-1]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.said]

    async def until(self, is_so: Callable[["Kept"], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S), self._changed:
            await self._changed.wait_for(lambda: is_so(self))

    async def says(self, *texts: str) -> None:
        """It was handed these and nothing else."""
        await self.until(lambda kept: len(kept.texts) >= len(texts))
        assert sorted(self.texts) == sorted(texts), self.texts

    async def marks_up_to(self, mark: str, message: str) -> None:
        await self.until(lambda kept: kept.marks.get(mark, 0) >= int(message))

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class Alone:
    """Implements `ShardClaims` for a process without others."""

    async def hold(self, shard_count: int) -> frozenset[int]:
        return frozenset(range(shard_count))

    async def give_up(self) -> None: ...


class Watching:
    """Implements `Interactions`: it remembers what it was given."""

    def __init__(self) -> None:
        self.received: list[Mapping[str, object]] = []

    async def receive(self, payload: Mapping[str, object], accept: Accept) -> None:
        self.received.append(payload)


@dataclass
class Stage:
    discord: LocalDiscord
    receiver: DiscordReceiver
    kept: Kept
    servers: Servers
    rest: DiscordRest
    interactions: Watching = field(default_factory=Watching)


def options_for(discord: LocalDiscord, **changed: object) -> ReceiverOptions:
    line = LineOptions(discord.token, short_s=0.0, invalid_s=(0.0, 0.01), pauses=QUICK)
    usual = ReceiverOptions(
        line,
        Wanted.AUTO,
        apart_s=0.0,
        renew_s=0.05,
        catch_up=CatchUp(pauses=QUICK),
        lanes=LaneLimits(),
        keeping=KeepingLimits(pauses=QUICK),
    )
    return replace(usual, **changed)  # type: ignore[arg-type]


@asynccontextmanager
async def staged(
    discord: LocalDiscord,
    kept: Kept | None = None,
    *,
    claims: ShardClaims | None = None,
    records: Records | None = None,
    **changed: object,
) -> AsyncIterator[Stage]:
    """Nobody accepts yet."""
    before = Route.BASE
    speak_to(discord.api_url)
    rest, account, kept = DiscordRest(discord.token), DiscordAccount(discord.bot_id), kept or Kept()
    servers, watching = Servers(account.id), Watching()
    records = records or Records(kept, claims or Alone())
    receiver = DiscordReceiver(account, servers, rest, watching, records, options_for(discord, **changed))
    try:
        yield Stage(discord, receiver, kept, servers, rest, watching)
    finally:
        await rest.aclose()
        speak_to(before)


@asynccontextmanager
async def at_work(stage: Stage) -> AsyncIterator[asyncio.Task[None]]:
    """People are heard until the end of the block."""
    task = asyncio.create_task(stage.receiver.run(stage.kept))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def listening(
    discord: LocalDiscord,
    kept: Kept | None = None,
    *,
    claims: ShardClaims | None = None,
    records: Records | None = None,
    **changed: object,
) -> AsyncIterator[Stage]:
    """It is connected, and has caught up."""
    async with staged(discord, kept, claims=claims, records=records, **changed) as stage, at_work(stage) as task:
        await connected(stage, task)
        yield stage


async def connected(stage: Stage, task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not stage.receiver.is_caught_up and not task.done():  # noqa: ASYNC110 - nothing else asks
            await asyncio.sleep(0.01)
    if task.done():
        task.result()


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What an operator reads."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("adapters.") and record.levelno >= logging.INFO
    ]
