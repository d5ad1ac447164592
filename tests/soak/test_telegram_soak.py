"""Fifty chats at once on Telegram for a minute, at its strictest rates: `pytest -m soak tests/soak`.

A local server writes long replies to all of them. BANTER_SOAK_S sets the seconds.
"""

import asyncio
import os
import statistics
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from bots.sandbox.local_telegram.driver import LocalTelegram
from bots.sandbox.local_telegram.own_process import local_telegram_process
from bots.sandbox.local_telegram.people import Person
from bots.sandbox.local_telegram.sights import MessageSeen
from core.generation.models import ResolvedModel
from tests.acceptance.conftest import Home, link_model
from tests.acceptance.telegram_chatbots import telegram_chatbot, whole
from tests.acceptance.test_openai_chat import variables
from tests.integration.local_openai import running_openai
from tests.soak.novelist import Novelist, bare

pytestmark = pytest.mark.soak

SECONDS = float(os.environ.get("BANTER_SOAK_S", "60"))
CHATS = 50
#: The bot keeps 1.1 s from an answer to the next call; Telegram counts a second.
LEAST_S = 1.0
#: For one reply, while all others are written.
PATIENCE_S = 240.0
_PIECES = 50
_PIECE_S = 0.1


@dataclass
class Asking:
    """One person, who asks again as soon as they are answered."""

    person: Person
    waits_s: list[float] = field(default_factory=list)

    async def ask_until(self, end: float) -> None:
        while time.monotonic() < end:
            begun, count = time.monotonic(), len(self.waits_s) + 1
            await self.person.says(f"Tell me chapter {count}.")
            await self.person.chat.until(lambda chat, count=count: len(whole(chat)) == count, PATIENCE_S)  # type: ignore[misc]
            self.waits_s.append(time.monotonic() - begun)

    async def replies(self) -> list[list[MessageSeen]]:
        """Each with its parts; the buttons stand below the last one."""
        told: list[list[MessageSeen]] = [[]]
        for message in (await self.person.chat.look()).bots:
            told[-1].append(message)
            if message.buttons:
                told.append([])
        assert told.pop() == []
        return told


async def test_fifty_chats_at_once_are_answered_whole_within_telegrams_limits(
    tmp_path: Path, default_model: ResolvedModel
) -> None:
    home, novelist = Home(tmp_path), Novelist(_PIECES, _PIECE_S)
    link_model(default_model, home.cache)
    async with local_telegram_process() as telegram, running_openai(novelist):
        set_up = variables(novelist, BANTER_OPENAI__PARALLEL_REQUESTS=str(CHATS), BANTER_MEMORY__SUMMARY="false")
        async with telegram_chatbot(home, telegram, set_up) as chatbot:
            asking = [Asking(await telegram.person(f"Ann {number}")) for number in range(CHATS)]
            end = time.monotonic() + SECONDS
            await asyncio.gather(*(one.ask_until(end) for one in asking))
            warnings = [line["message"] for line in chatbot.lines if line["level"] != "info"]
        shown = [reply for one in asking for reply in await one.replies()]
        spaces = [space for one in asking for space in await _spaces(one.person)]
        excesses = await telegram.excesses()
        await _report(telegram, asking, shown, spaces)

    told = ["".join(part.text for part in reply) for reply in shown]
    assert sorted(map(bare, told)) == sorted(map(bare, novelist.written))
    assert len(shown) == sum(len(one.waits_s) for one in asking) >= CHATS
    assert excesses == {}
    assert min(spaces) >= LEAST_S
    assert warnings == []


async def _spaces(person: Person) -> list[float]:
    """Between two messages or edits."""
    seen = await person.chat.look()
    return [after - before for before, after in pairwise(sorted(at for message in seen.bots for at in message.times))]


async def _report(
    telegram: LocalTelegram, asking: list[Asking], shown: list[list[MessageSeen]], spaces: list[float]
) -> None:
    waits = sorted(wait for one in asking for wait in one.waits_s)
    parts = [part for reply in shown for part in reply]
    times = sorted(at for part in parts for at in part.times)
    rate = len(times) / (times[-1] - times[0])
    print(
        f"{len(shown)} replies in {len(parts)} parts, {sum(len(part.text) for part in parts)} characters; "
        f"{len(times)} sends and edits, {rate:.1f} a second; "
        f"to the whole reply p50 {statistics.median(waits):.1f} s, p95 {waits[int(len(waits) * 0.95)]:.1f} s; "
        f"least space in a chat {min(spaces):.3f} s, median {statistics.median(spaces):.2f} s; "
        f"excesses {await telegram.excesses()}"
    )
