"""The Discord server bot: one application's bot on the walk.

Nothing is asked of Discord before people are listened to, so that a Discord that is away at the start keeps nobody else
waiting; which commands it offers is settled when Discord answers.
"""

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256

from adapters.discord.account import DiscordAccount, user_id_of
from adapters.discord.acked_tokens import AckedTokens
from adapters.discord.api import DiscordRest
from adapters.discord.application import Wanted
from adapters.discord.back_fill import CatchUp
from adapters.discord.buttons import Buttons
from adapters.discord.commands import Command, commands_of
from adapters.discord.endpoint import speak_to
from adapters.discord.gateway import LineOptions
from adapters.discord.native import Known, Native
from adapters.discord.outbound import new_splitter
from adapters.discord.receiver import DiscordReceiver, ReceiverOptions, Records
from adapters.discord.registering import register
from adapters.discord.sender import DiscordSender, LongReplies
from adapters.discord.servers import Servers
from adapters.opinion_values import OpinionValues
from adapters.seals import Seals
from bots.discord_choices import DiscordChoices
from bots.discord_shards import SharedShards
from bots.discord_texts import button_labels, label_book
from bots.discord_tokens import SealedTokens
from bots.products import Product
from bots.walk import Account
from bots.wiring import open_sealing
from core.dialogue import Platform
from core.edge import Edge
from core.errors import PlatformError, SettingsError
from core.memory.cursors import Cursors
from core.memory.database import Database
from core.memory.secrets import Secrets
from core.settings.discord import DiscordSettings
from core.settings.settings import Settings
from core.texts import Texts

logger = logging.getLogger(__name__)

_NO_TOKEN = (
    "BANTER_DISCORD_TOKEN: not set; make an application at discord.com/developers/applications and set the token that "  # noqa: S105
    "its Bot page shows"
)
_FIRST_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 600.0


@asynccontextmanager
async def open_discord(settings: Settings, secret: bytes, database: Database) -> AsyncIterator[Product]:
    """See `OpenProduct`."""
    told, token, texts = settings.discord, token_of(settings.discord), Texts()
    bot, language = user_id_of(token), settings.answering.language
    speak_to(told.api_url)
    rest, servers = DiscordRest(token), Servers(bot)
    values, labels = OpinionValues(_derived(secret, "buttons")), label_book(texts, language)
    sealed = SealedTokens(Secrets(database, open_sealing(settings)), bot)
    tokens = AckedTokens(sealed)
    known = Known(bot, values, Seals(_derived(secret, "seals")), servers.knows)
    native = Native(known, rest, tokens, DiscordChoices(settings, database, texts), labels)
    records = Records(Cursors(database, Platform.DISCORD, bot), SharedShards(database, bot))
    receiver = DiscordReceiver(DiscordAccount(bot, told.threads), servers, rest, native, records, _options(told, token))
    sender = DiscordSender(
        rest, tokens, Buttons(values, button_labels(texts, language)), LongReplies(told.long_replies)
    )
    offering = asyncio.create_task(_offer(rest, commands_of(labels.by_language)))
    forgetting = asyncio.create_task(sealed.keep_forgetting())
    try:
        yield Product(Account(Platform.DISCORD, bot, Edge(sender, new_splitter()), receiver))
    finally:
        offering.cancel()
        forgetting.cancel()
        await asyncio.gather(offering, forgetting, return_exceptions=True)
        await rest.aclose()


async def _offer(rest: DiscordRest, commands: Sequence[Command]) -> None:
    """Commands that can't be set now are set later."""
    pause_s, told = _FIRST_PAUSE_S, ""
    while True:
        try:
            await register(rest, commands)
        except PlatformError as error:
            if str(error) != told:
                logger.warning("the commands were not set yet: %s", error, extra={"action": "commands"})
            told = str(error)
        else:
            return
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _options(told: DiscordSettings, token: str) -> ReceiverOptions:
    return ReceiverOptions(
        LineOptions(token), Wanted(told.message_content), told.shards, catch_up=CatchUp(told.catch_up_s)
    )


def token_of(told: DiscordSettings) -> str:
    """Raises SettingsError."""
    try:
        token = told.read_token()
    except ValueError as error:
        raise SettingsError(str(error)) from None
    if not token:
        raise SettingsError(_NO_TOKEN)
    user_id_of(token)
    return token


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, f"discord {purpose}".encode(), sha256)
