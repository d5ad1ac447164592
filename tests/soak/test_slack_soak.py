"""Fifty threads at once on Slack for a minute, at its strictest tiers: `pytest -m soak tests/soak`.

A local server writes long replies to all of them, as fast as a large engine. BANTER_SOAK_S sets the seconds in which
people ask again as soon as they are answered. Twenty replies a minute can be streamed; all others are posted, one a
second in each channel, and that is what people wait for.
"""

import asyncio
import os
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.own_process import local_slack_process
from bots.sandbox.local_slack.people import Person, Place
from bots.sandbox.local_slack.sights import CallSeen, MessageSeen
from core.generation.models import ResolvedModel
from tests.acceptance.conftest import Home, link_model
from tests.acceptance.slack_assistants import slack_assistant, whole
from tests.acceptance.test_openai_chat import variables
from tests.integration.local_openai import running_openai
from tests.soak.novelist import Novelist, bare

pytestmark = pytest.mark.soak

SECONDS = float(os.environ.get("BANTER_SOAK_S", "60"))
THREADS, CHANNELS = 50, 5
#: For one reply, while all others are written.
PATIENCE_S = 240.0
#: To be called so often in any minute, in one workspace, and not more often.
TIERS = {
    "chat.startStream": 20,
    "chat.stopStream": 20,
    "chat.appendStream": 100,
    "chat.postMessage": 300,
    "chat.update": 50,
    "agents.sessions.setStatus": 50,
    "conversations.replies": 50,
    "users.info": 100,
}
#: Slack's and the program's clocks differ, and this machine does all of the work.
MARGIN = 2.0
_PIECES = 40
_PIECE_S = 0.05


@dataclass
class Asking:
    """A thread of somebody's, who asks again as soon as they are answered."""

    person: Person
    channel: Place
    mention: str
    root: MessageSeen | None = None
    waits_s: list[float] = field(default_factory=list)

    async def ask_until(self, end: float) -> None:
        while time.monotonic() < end:
            begun, count = time.monotonic(), len(self.waits_s) + 1
            asked = f"{self.mention} Tell me chapter {count}."
            told = await self.person.says(asked, self.channel, thread=self.root or "")
            self.root = self.root or told
            await self._answered(count)
            self.waits_s.append(time.monotonic() - begun)

    async def _answered(self, count: int) -> None:
        await self.channel.until(lambda channel: len(whole(channel, self.root)) >= count, PATIENCE_S)

    async def replies(self) -> list[list[MessageSeen]]:
        """Each with its parts; the buttons stand below the last one."""
        assert self.root is not None
        told: list[list[MessageSeen]] = [[]]
        for message in (await self.channel.look()).in_thread(self.root.root_ts):
            told[-1].append(message)
            if message.labels:
                told.append([])
        assert told.pop() == []
        return told


async def test_fifty_threads_at_once_are_answered_whole_within_slacks_tiers(
    tmp_path: Path, default_model: ResolvedModel
) -> None:
    home, novelist = Home(tmp_path), Novelist(_PIECES, _PIECE_S)
    link_model(default_model, home.cache)
    async with local_slack_process() as slack, running_openai(novelist):
        set_up = variables(novelist, BANTER_OPENAI__PARALLEL_REQUESTS=str(THREADS), BANTER_MEMORY__SUMMARY="false")
        async with slack_assistant(home, slack, set_up) as assistant:
            await slack.connected(2)
            asking = await people(slack)
            begun = time.monotonic()
            await asyncio.gather(*(one.ask_until(begun + SECONDS) for one in asking))
            took_s = time.monotonic() - begun
            warnings = [line["message"] for line in assistant.lines if line["level"] != "info"]
        shown = [reply for one in asking for reply in await one.replies()]
        calls, excesses = await slack.calls(), await slack.excesses()
        report(asking, shown, calls, took_s)
        print(f"excesses {excesses}, warnings {warnings}")

    told = ["".join(part.text for part in reply) for reply in shown]
    assert sorted(map(bare, told)) == sorted(map(bare, novelist.written))
    assert len(shown) == sum(len(one.waits_s) for one in asking) >= THREADS
    assert excesses == {}
    assert [call.method for call in calls if call.status == 429] == []
    for method, most in TIERS.items():
        assert busiest_minute(calls, method) <= most, method
    assert max(wait for one in asking for wait in one.waits_s) <= MARGIN * tiers_allow_s()
    assert warnings == []


async def people(slack: LocalSlack) -> list[Asking]:
    """Ten threads in each channel."""
    persons = [await slack.person(f"Ann {number}") for number in range(THREADS)]
    channels = [await slack.channel(f"novels-{number}", *persons) for number in range(CHANNELS)]
    return [Asking(person, channels[number % CHANNELS], slack.mention) for number, person in enumerate(persons)]


def tiers_allow_s() -> float:
    """Until the last thread of a channel has its reply, where all ask together and none is streamed."""
    return _PIECES * _PIECE_S + THREADS / CHANNELS


def busiest_minute(calls: list[CallSeen], method: str) -> int:
    begun = sorted(call.began for call in calls if call.method == method)
    return max((sum(at <= other < at + 60.0 for other in begun) for at in begun), default=0)


def report(asking: list[Asking], shown: list[list[MessageSeen]], calls: list[CallSeen], took_s: float) -> None:
    waits = sorted(wait for one in asking for wait in one.waits_s)
    parts = [part for reply in shown for part in reply]
    streamed = sum(part.stream is not None for part in parts)
    counts = Counter(call.method for call in calls)
    busiest = {method: busiest_minute(calls, method) for method in counts}
    print(
        f"{len(shown)} replies in {len(parts)} parts ({streamed} streamed, {len(parts) - streamed} posted), "
        f"{sum(len(part.text) for part in parts)} characters, in {took_s:.0f} s; to the whole reply p50 "
        f"{statistics.median(waits):.1f} s, p95 {waits[int(len(waits) * 0.95)]:.1f} s, longest {waits[-1]:.1f} s, "
        f"where the tiers allow {tiers_allow_s():.0f} s"
    )
    print(
        "calls, and most of them in a minute: " + ", ".join(f"{m} {counts[m]} ({busiest[m]})" for m in sorted(counts))
    )
