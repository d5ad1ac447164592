"""A sender on the local Bot API server, with what tests send by it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from adapters.telegram.api import open_bot
from adapters.telegram.buttons import Buttons
from adapters.telegram.pace import Pace
from adapters.telegram.sender import SenderOptions, TelegramSender
from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from bots.sandbox.local_telegram.options import NO_RATES, Options
from bots.sandbox.local_telegram.people import Person, Place
from core.dialogue import Platform, SessionKey
from core.errors import RateLimited
from core.ports import Outgoing

TOKEN = "0123456789abcdef0123"
#: So much faster than by the clock on the wall.
_SPEED = 200.0


def quick_pace() -> Pace:
    """For tests that are not about it."""
    return Pace(lambda: time.monotonic() * _SPEED, lambda seconds: asyncio.sleep(seconds / _SPEED))


@dataclass(frozen=True, slots=True)
class Stage:
    telegram: LocalTelegram
    sender: TelegramSender
    buttons: Buttons
    #: Old id and new id of each group that the sender met elsewhere.
    moves: list[tuple[str, str]]
    anna: Person

    def part(self, markdown: str = "", chat: Place | None = None, thread: str = "", **more: object) -> Outgoing:
        """To Anna's own chat where no other one is named; drawn by the model, the first one, and open."""
        where = chat or self.anna.chat
        key = SessionKey(Platform.TELEGRAM, str(self.telegram.bot_id), where.business, str(where.id), thread)
        return replace(Outgoing(key, "", TOKEN, 0, markdown, is_drawn=True), **more)  # type: ignore[arg-type]

    async def update(self, handle: str, part: Outgoing) -> None:
        """As the core does: again when it may."""
        while True:
            try:
                return await self.sender.update(handle, part)
            except RateLimited as limited:
                await asyncio.sleep(limited.retry_after_s / _SPEED)


@asynccontextmanager
async def standing(
    options: SenderOptions = SenderOptions(),  # noqa: B008 - a value that nobody can change
    server: Options | None = None,
    pace: Pace | None = None,
) -> AsyncIterator[Stage]:
    async with local_telegram(server or Options(rates=NO_RATES)) as telegram:
        anna = await telegram.person("Anna")
        await anna.says("hello")
        buttons, moves = Buttons(b"a secret"), list[tuple[str, str]]()
        async with open_bot(telegram.token, telegram.base_url) as bot:
            told = lambda old, new: moves.append((old, new))  # noqa: E731
            sender = TelegramSender(bot, buttons, told, options, pace or quick_pace())
            yield Stage(telegram, sender, buttons, moves, anna)
