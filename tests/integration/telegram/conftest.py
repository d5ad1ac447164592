"""A local server, a bot of python-telegram-bot's on it, and a person who has begun their chat."""

from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from bots.sandbox.local_telegram.options import NO_RATES, Options
from bots.sandbox.local_telegram.people import Person
from tests.integration.telegram.ptb_bots import ptb_bot
from tests.integration.telegram.senders import Stage, standing


@pytest.fixture
def options() -> Options:
    """Of the server; a file's own go before these."""
    return Options(rates=NO_RATES)


@pytest.fixture
async def telegram(options: Options) -> AsyncIterator[LocalTelegram]:
    async with local_telegram(options) as telegram:
        yield telegram


@pytest.fixture
async def bot(telegram: LocalTelegram) -> AsyncIterator[Bot]:
    async with ptb_bot(telegram) as bot:
        yield bot


@pytest.fixture
async def ann(telegram: LocalTelegram) -> Person:
    ann = await telegram.person("Ann", "ann")
    await ann.says("/start")
    return ann


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A sender and whom it writes to."""
    async with standing() as stage:
        yield stage
