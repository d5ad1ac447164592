"""Fifty channels at once on Discord for a minute, and heartbeats beside a busy engine: `pytest -m soak tests/soak`.

In the first test a local server writes long replies to all of them, as fast as a large engine; half of them are in
threads that begin with a mention, half in DMs. BANTER_SOAK_S sets the seconds in which people ask again as soon as they
are answered. In the second the default model writes for 32 people, which takes all that this machine has.
"""

import asyncio
import os
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from benchmarks.measuring import percentile
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.limits import Limits, Rates, Window
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.own_process import local_discord_process
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place
from bots.sandbox.local_discord.sights import ChannelSeen, MessageSeen
from bots.sandbox.local_discord.wire_sights import CallSeen, ConnectionSeen
from core.generation.models import ResolvedModel
from tests.acceptance.conftest import Home, link_model
from tests.acceptance.discord_bots import BAD, discord_bot, whole
from tests.acceptance.test_openai_chat import variables
from tests.integration.local_openai import running_openai
from tests.soak.novelist import Novelist, bare

pytestmark = pytest.mark.soak

SECONDS = float(os.environ.get("BANTER_SOAK_S", "60"))
CHANNELS = 50
#: For one reply, while all others are written.
PATIENCE_S = 240.0
PEOPLE, SHARDS, HEARTBEAT_S, LATE_MS = 32, 8, 1.0, 100.0
STORIES = tuple(f"Tell me a long story about a village {place}." for place in ("by the sea", "in the hills"))
#: They count among what a connection may say.
FREQUENT = Options(
    shards=SHARDS,
    limits=Limits(heartbeat_s=HEARTBEAT_S, max_concurrency=SHARDS),
    rates=Rates(gateway=Window(1000, 60.0)),
)


@dataclass
class Asking:
    """Somebody in a channel or in a DM, who asks again as soon as they are answered."""

    person: Person
    mention: str
    #: None: in the DM.
    channel: Place | None = None
    #: Where the replies stand, once somebody was asked.
    place: Place | None = None
    waits_s: list[float] = field(default_factory=list)

    async def ask_until(self, end: float) -> None:
        while time.monotonic() < end:
            begun = time.monotonic()
            await self._ask(f"Tell me chapter {len(self.waits_s) + 1}.")
            self.waits_s.append(time.monotonic() - begun)

    async def _ask(self, text: str) -> None:
        count = len(self.waits_s) + 1

        def is_answered(seen: ChannelSeen) -> bool:
            return len(whole(seen)) >= count

        if self.channel is None:
            self.place = self.person.dm
            await self.person.says(text)
        else:
            asked = await self.person.says(f"{self.mention} {text}", self.place or self.channel)
            self.place = self.place or await self.channel.thread_from(asked, PATIENCE_S)
        await self.place.until(is_answered, PATIENCE_S)

    async def replies(self) -> list[list[MessageSeen]]:
        """Each with its parts; the buttons stand below the last one."""
        assert self.place is not None
        told: list[list[MessageSeen]] = [[]]
        for message in (await self.place.look()).bots:
            told[-1].append(message)
            if BAD in message.labels:
                told.append([])
        assert told.pop() == []
        return told


async def test_fifty_channels_at_once_are_answered_whole_within_discords_limits(
    tmp_path: Path, default_model: ResolvedModel
) -> None:
    home, novelist = Home(tmp_path), Novelist()
    link_model(default_model, home.cache)
    async with local_discord_process() as discord, running_openai(novelist):
        set_up = variables(novelist, BANTER_OPENAI__PARALLEL_REQUESTS=str(CHANNELS), BANTER_MEMORY__SUMMARY="false")
        async with discord_bot(home, discord, set_up) as bot:
            asking = await people(discord)
            begun = time.monotonic()
            await asyncio.gather(*(one.ask_until(begun + SECONDS) for one in asking))
            took_s = time.monotonic() - begun
            warnings = [line["message"] for line in bot.lines if line["level"] != "info"]
        shown = [reply for one in asking for reply in await one.replies()]
        calls, excesses = await discord.calls(), await discord.excesses()
        report(asking, shown, calls, took_s)
        print(f"excesses {excesses}, warnings {warnings}")

    told = ["".join(part.text for part in reply) for reply in shown]
    assert sorted(map(bare, told)) == sorted(map(bare, novelist.written))
    assert len(shown) == sum(len(one.waits_s) for one in asking) >= CHANNELS
    assert excesses == {}
    assert [call.operation for call in calls if call.status == 429] == []
    assert warnings == []


async def test_heartbeats_are_in_time_while_the_engine_is_at_full_load(
    tmp_path: Path, default_model: ResolvedModel
) -> None:
    """The heartbeats are more frequent than Discord's, and of several shards, so that there are enough of them."""
    home, long = Home(tmp_path), {"BANTER_SAMPLING__MAX_NEW_TOKENS": "128"}
    link_model(default_model, home.cache)
    async with local_discord_process(FREQUENT) as discord, discord_bot(home, discord, long) as bot:
        await discord.connected(SHARDS, PATIENCE_S)
        people = [await discord.person(f"Ann {number}") for number in range(PEOPLE)]
        await people[0].says("Good morning!")
        await bot.logs(1, PATIENCE_S, message="answered")  # the model is loaded
        loaded = time.monotonic()
        for text in STORIES:  # one after the other; nobody looks on, which would be more work than the bot's
            await asyncio.gather(*(person.says(text) for person in people))
        await bot.logs(1 + len(STORIES) * PEOPLE, PATIENCE_S, message="answered")
        ended, connections = time.monotonic(), (await discord.look()).connections
    beats = [at for one in connections for at in one.heartbeats if at >= loaded]
    late_ms = [1000 * late_s for one in connections for late_s in late_since(one, loaded)]
    report_heartbeats(late_ms, ended - loaded)

    assert len(connections) == SHARDS
    assert len(beats) > (ended - loaded) / HEARTBEAT_S * SHARDS * 0.9
    assert percentile(late_ms, 99) < LATE_MS


def late_since(connection: ConnectionSeen, begun: float) -> list[float]:
    heard = tuple(at for at in connection.heartbeats if at >= begun)
    return replace(connection, heartbeats=heard).lateness_s(HEARTBEAT_S)


async def people(discord: LocalDiscord) -> list[Asking]:
    """Every second of them in a channel of their own."""
    persons = [await discord.person(f"Ann {number}") for number in range(CHANNELS)]
    server = await discord.guild("Novels", *persons)
    return [
        Asking(person, discord.mention, await server.channel(f"novels-{number}") if number % 2 else None)
        for number, person in enumerate(persons)
    ]


def report(asking: list[Asking], shown: list[list[MessageSeen]], calls: list[CallSeen], took_s: float) -> None:
    waits = sorted(wait for one in asking for wait in one.waits_s)
    parts = [part for reply in shown for part in reply]
    counts = Counter(call.operation for call in calls)
    began = sorted(call.began for call in calls)
    busiest = max(
        sum(at <= other < at + 1.0 for other in began[number : number + 100]) for number, at in enumerate(began)
    )
    print(
        f"{len(shown)} replies in {len(parts)} parts, {sum(len(part.text) for part in parts)} characters, in "
        f"{took_s:.0f} s; to the whole reply p50 {statistics.median(waits):.1f} s, p95 "
        f"{percentile(waits, 95):.1f} s, longest {waits[-1]:.1f} s"
    )
    print(f"most requests in a second {busiest}; " + ", ".join(f"{name} {counts[name]}" for name in sorted(counts)))


def report_heartbeats(late_ms: list[float], took_s: float) -> None:
    late = ", ".join(f"p{percent} {percentile(late_ms, percent):.1f} ms" for percent in (50, 90, 95, 99, 100))
    print(f"{len(STORIES) * PEOPLE} replies in {took_s:.0f} s; {len(late_ms)} heartbeats were late by {late}")
