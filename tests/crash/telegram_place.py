"""How a bot's process reaches the local Bot API server outside it: by the program's own adapter, in a quicker time.

A second of Telegram's is shorter here, for the server's rates, for the adapter's pace, and for what the one tells the
other. Calls can be died in at three moments: before anything is written, when the whole request is, and when the
answer begins to come.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
import telegram
from telegram.request import HTTPXRequest

from adapters.telegram.account import TelegramAccount
from adapters.telegram.api import open_bot
from adapters.telegram.buttons import Buttons
from adapters.telegram.line import Address
from adapters.telegram.moves import Moves
from adapters.telegram.outbound import new_splitter
from adapters.telegram.pace import Pace
from adapters.telegram.polling import Polling, PollingLimits
from adapters.telegram.sender import TelegramSender
from adapters.telegram.trouble import Pauses
from adapters.telegram.updates import Updates
from bots.sandbox.local_telegram.limits import Rates, Window
from bots.walk import Account
from core.dialogue import Platform, SessionKey
from core.edge import Edge
from core.errors import RateLimited
from core.memory.database import Database
from core.ports import Capabilities, Outgoing
from tests.crash.fate import Fate
from tests.platforms.paper_bot import SENDS

#: So many seconds of Telegram's pass in one.
SPEED = 20.0
RATES = Rates(Window(1, 1.0 / SPEED), Window(20, 60.0 / SPEED), Window(30, 1.0 / SPEED))
#: The turn, and the call itself.
SEND_TIMEOUT_S = 1.2
LEASE_S = 3.0

_POLLING = PollingLimits(poll_s=2, pauses=Pauses(first_s=0.02, longest_s=0.1, slow_s=0.3))


@dataclass(frozen=True, slots=True)
class TelegramPlace:
    """Implements `Place`."""

    base_url: str
    token: str
    account: TelegramAccount

    @asynccontextmanager
    async def opened(self, _name: str, fate: Fate, _stop: asyncio.Event, _database: Database) -> AsyncIterator[Account]:
        buttons, moves = Buttons(b"of the crash trials"), Moves()
        bot = open_bot(self.token, self.base_url)
        _watch(bot, fate)
        pace = Pace(lambda: time.monotonic() * SPEED, lambda seconds: asyncio.sleep(seconds / SPEED))
        sender = QuickSender(bot, buttons, moves.tell, pace=pace)
        address = Address(self.token, self.base_url)
        polling = Polling(address, Updates(self.account, buttons), moves, _POLLING)
        try:
            yield Account(Platform.TELEGRAM, self.account.id, Edge(sender, new_splitter(), SENDS), polling)
        finally:
            await bot.request.shutdown()


class QuickSender(TelegramSender):
    """It tells the core in seconds of ours what it means in Telegram's."""

    def capabilities(self, key: SessionKey) -> Capabilities:
        can = super().capabilities(key)
        return replace(
            can,
            edit_interval_s=can.edit_interval_s / SPEED,
            typing_interval_s=can.typing_interval_s / SPEED,
            send_timeout_s=SEND_TIMEOUT_S,
        )

    async def open(self, part: Outgoing) -> str:
        with _sooner():
            return await super().open(part)

    async def update(self, handle: str, part: Outgoing) -> None:
        with _sooner():
            await super().update(handle, part)

    async def close(self, handle: str, part: Outgoing) -> None:
        with _sooner():
            await super().close(handle, part)

    async def withdraw(self, handle: str, part: Outgoing) -> None:
        with _sooner():
            await super().withdraw(handle, part)


@contextlib.contextmanager
def _sooner() -> Iterator[None]:
    try:
        yield
    except RateLimited as limited:
        raise RateLimited(str(limited), limited.retry_after_s / SPEED) from None


def _watch(bot: telegram.Bot, fate: Fate) -> None:
    """The client tells of its requests and answers, and of what it has written, to whoever asks."""

    async def begins(request: httpx.Request) -> None:
        name = _method(request)

        async def proceeds(event: str, _more: object) -> None:
            if event.endswith("send_request_body.complete"):
                fate.passes("during", name)

        fate.passes("before", name)
        request.extensions["trace"] = proceeds

    async def is_answered(response: httpx.Response) -> None:
        fate.passes("after", _method(response.request))

    request = bot.request
    assert isinstance(request, HTTPXRequest)
    request._client.event_hooks = {"request": [begins], "response": [is_answered]}


def _method(request: httpx.Request) -> str:
    return request.url.path.rpartition("/")[2]
