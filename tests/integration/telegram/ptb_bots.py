"""python-telegram-bot's own bots, on the local Bot API server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from telegram import Bot, Update
from telegram.ext import Application, ApplicationBuilder, CallbackContext, MessageHandler, filters

from bots.sandbox.local_telegram.driver import LocalTelegram

ECHO_S = 10.0


@asynccontextmanager
async def ptb_bot(telegram: LocalTelegram, token: str = "") -> AsyncIterator[Bot]:
    """A bot that was not asked yet who it is."""
    bot = Bot(
        token or telegram.token, base_url=f"{telegram.base_url}/bot", base_file_url=f"{telegram.base_url}/file/bot"
    )
    await bot.request.initialize()
    await bot._request[0].initialize()
    try:
        yield bot
    finally:
        await bot._request[0].shutdown()
        await bot.request.shutdown()


@asynccontextmanager
async def echo_application(telegram: LocalTelegram) -> AsyncIterator["Application"]:  # type: ignore[type-arg]
    """It repeats what it is told; what it hears from is the caller's choice."""
    application = (
        ApplicationBuilder()
        .token(telegram.token)
        .base_url(f"{telegram.base_url}/bot")
        .base_file_url(f"{telegram.base_url}/file/bot")
        .build()
    )
    application.add_handler(MessageHandler(filters.TEXT, _echo))
    async with application:
        await application.start()
        try:
            yield application
        finally:
            await application.stop()


@asynccontextmanager
async def raw_client(telegram: LocalTelegram) -> AsyncIterator[httpx2.AsyncClient]:
    """HTTP without a library's help; paths begin after the token."""
    base_url = f"{telegram.base_url}/bot{telegram.token}/"
    async with httpx2.AsyncClient(base_url=base_url, timeout=20.0, trust_env=False) as client:
        yield client


async def _echo(update: Update, _context: "CallbackContext") -> None:  # type: ignore[type-arg]
    message = update.effective_message
    assert message is not None
    async with asyncio.timeout(ECHO_S):
        await message.reply_text(f"you said: {message.text}")
