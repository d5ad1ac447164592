"""The Telegram chatbot: one bot account on the walk.

Nothing is asked of Telegram before people are listened to, so that a Telegram that is away at the start keeps nobody
else waiting; who the bot is, and which commands its menus show, is settled when Telegram answers.
"""

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from urllib.parse import urlsplit

import telegram
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.telegram.account import TelegramAccount, account_of
from adapters.telegram.api import open_bot
from adapters.telegram.buttons import ButtonLabels, Buttons
from adapters.telegram.line import Address, open_line, told_in
from adapters.telegram.menus import MenuCommand, MenuScope, set_menus
from adapters.telegram.moves import Moves
from adapters.telegram.outbound import new_splitter
from adapters.telegram.polling import Polling
from adapters.telegram.sender import SenderOptions, TelegramSender
from adapters.telegram.trouble import Pauses, Trouble
from adapters.telegram.updates import Updates
from adapters.telegram.webhook import Webhook, WebhookOptions
from bots.products import Product
from bots.walk import Account
from core.access import Rank
from core.commands.commands import COMMANDS
from core.dialogue import Platform
from core.edge import Edge
from core.errors import PlatformAway, PlatformError, SettingsError
from core.memory.database import Database
from core.ports import Accept
from core.settings.settings import Settings
from core.settings.telegram import TelegramSettings
from core.texts import AGAIN_LABEL, STOP_LABEL, Texts

logger = logging.getLogger(__name__)

NO_TOKEN = "BANTER_TELEGRAM_TOKEN: not set; make a bot with @BotFather on Telegram and set the token that it shows"  # noqa: S105
#: What nobody says where others read.
_PRIVATE = frozenset({"link", "unlink", "forget", "export"})
_ASK_S = 15.0


@asynccontextmanager
async def open_telegram(settings: Settings, secret: bytes, _database: Database) -> AsyncIterator[Product]:
    """See `OpenProduct`."""
    told, token = settings.telegram, token_of(settings.telegram)
    texts, moves = Texts(), Moves()
    buttons = Buttons(_derived(secret, "buttons"), _labels(texts, settings.answering.language))
    bot = open_bot(token, told.api_url)
    try:
        sender = TelegramSender(bot, buttons, moves.tell, SenderOptions(drafts=told.drafts))
        receiver = TelegramReceiver(told, token, bot, buttons, moves, _derived(secret, "webhook"))
        edge = Edge(sender, new_splitter())
        account = Account(Platform.TELEGRAM, _bot_id(token), edge, receiver)
        yield Product(account, receiver.routes)
    finally:
        await bot.request.shutdown()


class TelegramReceiver:
    """Implements `Receiver`: it learns who the bot is, sets its menus, and listens."""

    def __init__(
        self, told: TelegramSettings, token: str, bot: telegram.Bot, buttons: Buttons, moves: Moves, secret: bytes
    ) -> None:
        self._told = told
        self._address = Address(token, told.api_url)
        self._bot = bot
        self._buttons = buttons
        self._moves = moves
        self._secret = told.webhook_secret.get_secret_value() or secret.hex()
        self._account: TelegramAccount | None = None
        self._webhook: Webhook | None = None

    @property
    def routes(self) -> tuple[Route, ...]:
        if self._told.receive == "polling":
            return ()
        return (Route(self._path, self._receive, methods=["POST"]),)

    async def run(self, accept: Accept) -> None:
        trouble = Trouble(Pauses())
        while self._account is None:
            await trouble.through(self._meet)
        menus = asyncio.create_task(_show_menus(self._bot))
        try:
            updates = Updates(self._account, self._buttons)
            if self._told.receive == "polling":
                await Polling(self._address, updates, self._moves).run(accept)
            else:
                self._webhook = Webhook(self._address, updates, self._moves, self._options())
                await self._webhook.run(accept)
        finally:
            menus.cancel()
            await asyncio.gather(menus, return_exceptions=True)

    async def _meet(self) -> None:
        async with open_line(self._address) as line:
            told = told_in(await line.ask("getMe", {}, _ASK_S)).get("result")
        if not isinstance(told, dict):
            raise PlatformAway("what came instead of Telegram's answer can't be read")
        self._account = account_of(telegram.User.de_json(told))

    async def _receive(self, request: Request) -> Response:
        if self._webhook is None:
            return Response(status_code=503, headers={"Retry-After": "5"})
        return await self._webhook.receive(request)

    @property
    def _path(self) -> str:
        return urlsplit(self._told.webhook_url).path or "/"

    def _options(self) -> WebhookOptions:
        told = self._told
        return WebhookOptions(told.webhook_url, self._secret, connections=told.webhook_connections)


async def _show_menus(bot: telegram.Bot) -> None:
    """Menus that can't be set now are set at the next start."""
    try:
        changed = await set_menus(bot, menu_commands(Texts()))
    except PlatformError as error:
        logger.warning("the menus of commands were not set: %s", error, extra={"action": "menus"})
    else:
        logger.info("%s menus of commands were set", changed, extra={"action": "menus"})


def menu_commands(texts: Texts) -> list[MenuCommand]:
    """What everybody may say, in every language that there is; "" is English."""
    shown = ((name, known) for name, known in COMMANDS.items() if known.needs is Rank.PERSON)
    return [
        MenuCommand(
            name,
            {"": known.meaning} | {tag: texts.say(tag, known.meaning) for tag in texts.languages if tag != "en"},
            MenuScope.PRIVATE if name in _PRIVATE else MenuScope.EVERYWHERE,
        )
        for name, known in shown
    ]


def _labels(texts: Texts, language: str) -> ButtonLabels:
    usual = ButtonLabels()
    return ButtonLabels(
        stop=f"{usual.stop} {texts.say(language, STOP_LABEL)}",
        regenerate=f"{usual.regenerate} {texts.say(language, AGAIN_LABEL)}",
    )


def token_of(told: TelegramSettings) -> str:
    """Raises SettingsError."""
    try:
        token = told.read_token()
    except ValueError as error:
        raise SettingsError(str(error)) from None
    if not token:
        raise SettingsError(NO_TOKEN)
    if not _bot_id(token).isdecimal():
        raise SettingsError("BANTER_TELEGRAM_TOKEN: not a bot's token; they look like 123456789:AAF…")
    return token


def _bot_id(token: str) -> str:
    """A token begins with its bot's user id."""
    return token.partition(":")[0]


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, f"telegram {purpose}".encode(), sha256)
