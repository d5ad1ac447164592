"""A group, a bot with a policy, and what people say there."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from core.dialogue import Called, Inbound, InboundMessage, Person, Platform, SessionKey
from core.policy import Manner, Policy
from core.ports import Arrival
from tests.platforms.paper_bot import OPTIONS, PaperBot, Place

GENERAL = SessionKey(Platform.DISCORD, "banter", "guild", "general")
BANTER = Manner("banter")
MENTION, IN_PRIVATE = Called(by_mention=True), Called(directly=True)


def message(
    text: str,
    id: str,  # noqa: A002
    person: str = "anna",
    key: SessionKey = GENERAL,
    called: Called = MENTION,
) -> InboundMessage:
    return InboundMessage(key, speaker(person, key), id, text, datetime.now(UTC), called)


def speaker(name: str = "anna", key: SessionKey = GENERAL) -> Person:
    return Person(key.platform, key.workspace, name, name.title())


async def hears(bot: PaperBot, *inbound: Inbound) -> None:
    await bot.accept([Arrival(json.dumps({"text": "raw"}), one) for one in inbound])


@asynccontextmanager
async def bot_with(place: Place, policy: Policy) -> AsyncIterator[PaperBot]:
    async with place.bot(options=replace(OPTIONS, policy=policy)) as bot:
        yield bot
