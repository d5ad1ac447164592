"""A receiver at work, and what it hands over."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from adapters.telegram.account import TelegramAccount
from adapters.telegram.line import Address, open_line
from adapters.telegram.moves import Moves
from adapters.telegram.polling import Polling, PollingLimits
from adapters.telegram.trouble import Pauses
from adapters.telegram.updates import Updates
from bots.sandbox.local_telegram.driver import LocalTelegram
from bots.walk import Receiver
from core.dialogue import InboundMessage
from core.errors import DatabaseAway
from core.ports import Arrival, Cursor
from tests.unit.telegram.recorded import PlainButtons

DEADLINE_S = 20.0
QUICK = Pauses(first_s=0.02, longest_s=0.1, slow_s=0.2)


class Kept:
    """Implements `Accept`, in memory."""

    def __init__(self) -> None:
        self.batches: list[tuple[list[Arrival], Cursor | None]] = []
        #: While it is not set, nothing is kept.
        self.opened = asyncio.Event()
        self.opened.set()
        #: So many calls fail.
        self.fails = 0
        self.calls = 0
        self._changed = asyncio.Condition()

    async def __call__(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        self.calls += 1
        await self._tell()
        await self.opened.wait()
        if self.fails:
            self.fails -= 1
            raise DatabaseAway("the database is away")
        self.batches.append((list(arrivals), cursor))
        await self._tell()

    @property
    def arrivals(self) -> list[Arrival]:
        return [arrival for arrivals, _ in self.batches for arrival in arrivals]

    @property
    def texts(self) -> list[str]:
        return [one.inbound.text for one in self.arrivals if isinstance(one.inbound, InboundMessage)]

    async def until(self, is_so: Callable[["Kept"], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S), self._changed:
            await self._changed.wait_for(lambda: is_so(self))

    async def says(self, *texts: str) -> None:
        """It was handed these, in this order, and nothing else."""
        await self.until(lambda kept: len(kept.texts) >= len(texts))
        assert self.texts == list(texts)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def account_of(telegram: LocalTelegram) -> TelegramAccount:
    return TelegramAccount(str(telegram.bot_id), telegram.bot_username)


def polling_of(
    telegram: LocalTelegram, *, token: str = "", moves: Moves | None = None, poll_s: int = 20, pauses: Pauses = QUICK
) -> Polling:
    address = Address(token or telegram.token, telegram.base_url)
    updates = Updates(account_of(telegram), PlainButtons())
    return Polling(address, updates, moves or Moves(), PollingLimits(poll_s, pauses))


@asynccontextmanager
async def running(receiver: Receiver, kept: Kept) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(receiver.run(kept))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ask(telegram: LocalTelegram, method: str, **words: str) -> None:
    """As somebody else who has the token."""
    async with open_line(Address(telegram.token, telegram.base_url)) as line:
        await line.ask(method, words, DEADLINE_S)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What an operator reads."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("adapters.") and record.levelno >= logging.INFO
    ]
