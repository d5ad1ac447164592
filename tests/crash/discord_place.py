"""How a bot's process reaches the local Discord outside it: by the program's own adapter, in a quicker time.

A second of Discord's is shorter here, for the server's limits and for the adapter's pace. The bot was there before: it
knows the channels that there are, as a database tells it after a restart.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

from adapters.discord import api
from adapters.discord.account import DiscordAccount
from adapters.discord.acked_tokens import AckedTokens
from adapters.discord.api import DiscordRest
from adapters.discord.back_fill import CatchUp
from adapters.discord.buttons import Buttons
from adapters.discord.choices import Chosen
from adapters.discord.commands import commands_of
from adapters.discord.endpoint import speak_to
from adapters.discord.gateway import LineOptions
from adapters.discord.keeping import KeepingLimits
from adapters.discord.labels import LabelBook
from adapters.discord.native import Known, Native
from adapters.discord.outbound import new_splitter
from adapters.discord.paced_http import Call, PacedHttp
from adapters.discord.receiver import DiscordReceiver, ReceiverOptions, Records
from adapters.discord.registering import register
from adapters.discord.sender import DiscordSender
from adapters.discord.servers import Servers
from adapters.opinion_values import OpinionValues
from adapters.seals import Seals
from adapters.trouble import Pauses
from bots.discord_shards import SharedShards
from bots.discord_tokens import SealedTokens
from bots.walk import Account
from core.dialogue import InboundMessage, Platform, SessionKey
from core.edge import Edge
from core.errors import PlatformError
from core.memory.cursors import Cursors
from core.memory.database import Database
from core.memory.sealing import Sealing
from core.memory.secrets import Secrets
from core.memory.tables import CursorRow
from core.ports import Capabilities
from core.secret_key import SecretKeys
from tests.crash.fate import Fate
from tests.crash.fated_calls import tell_of_calls
from tests.platforms.paper_bot import SENDS

#: So many seconds of Discord's pass in one.
SPEED = 20.0
#: Of the server's own; whoever sends none for half as long again is cut off.
HEARTBEAT_S = 1.0
SEND_TIMEOUT_S = 1.2
LEASE_S = 3.0

_SECRET = b"of the crash trials"
_KEYS = SecretKeys((b"b2YgdGhlIGNyYXNoIHRyaWFscyBvZiBEaXNjb3JkISE=",))
_QUICK = Pauses(first_s=0.02, longest_s=0.1, slow_s=0.3)
_OFFER_AGAIN_S = 0.3
#: Calls that somebody can die in, as the local server names them.
_NAMES = {
    ("POST", "/channels/{channel_id}/messages"): "create_message",
    ("PATCH", "/channels/{channel_id}/messages/{message_id}"): "edit_message",
    ("GET", "/channels/{channel_id}/messages"): "get_messages",
    ("POST", "/channels/{channel_id}/messages/{message_id}/threads"): "thread_from_message",
    ("POST", "/interactions/{webhook_id}/{webhook_token}/callback"): "callback",
    ("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/@original"): "edit_response",
    ("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"): "edit_response",
}


@dataclass(frozen=True, slots=True)
class DiscordPlace:
    """Implements `Place`."""

    api_url: str
    bot_id: str
    token: str = field(repr=False)
    #: Channels that the bot knew when the trial began → the newest message there.
    marks: Mapping[str, int]

    @asynccontextmanager
    async def opened(self, _name: str, fate: Fate, _stop: asyncio.Event, database: Database) -> AsyncIterator[Account]:
        speak_to(self.api_url)
        _FatedHttp.fate = fate
        setattr(api, "PacedHttp", _FatedHttp)  # noqa: B010 - mypy takes it for a constant
        await self._remember(database)
        rest, servers, values = DiscordRest(self.token), Servers(self.bot_id), OpinionValues(_SECRET)
        tokens = AckedTokens(SealedTokens(Secrets(database, Sealing(lambda: _KEYS, texts=False)), self.bot_id))
        known = Known(self.bot_id, values, Seals(_SECRET), servers.knows)
        native = Native(known, rest, tokens, _OnePersona(), LabelBook())
        records = Records(Cursors(database, Platform.DISCORD, self.bot_id), SharedShards(database, self.bot_id))
        receiver = DiscordReceiver(DiscordAccount(self.bot_id), servers, rest, native, records, _options(self.token))
        edge = Edge(QuickSender(rest, tokens, Buttons(values)), new_splitter(), SENDS)
        offering = asyncio.create_task(_offer(rest))
        try:
            yield Account(Platform.DISCORD, self.bot_id, edge, receiver)
        finally:
            offering.cancel()
            await asyncio.gather(offering, return_exceptions=True)
            await rest.aclose()

    async def _remember(self, database: Database) -> None:
        whose = {"platform": Platform.DISCORD.value, "bot": self.bot_id}
        rows = [{**whose, "name": name, "value": value} for name, value in self.marks.items()]
        async with database.writing() as connection:
            await connection.execute(database.insert(CursorRow).values(rows).on_conflict_do_nothing())


class QuickSender(DiscordSender):
    """It tells the core in seconds of ours what it means in Discord's."""

    def capabilities(self, key: SessionKey) -> Capabilities:
        can = super().capabilities(key)
        return replace(
            can,
            edit_interval_s=can.edit_interval_s / SPEED,
            typing_interval_s=can.typing_interval_s / SPEED,
            send_timeout_s=SEND_TIMEOUT_S,
        )


class _FatedHttp(PacedHttp):
    """A client in whose calls the process can die."""

    fate = Fate(None)

    def __init__(self, proxy: str | None = None) -> None:
        super().__init__(proxy)
        assert self.http_trace is not None
        tell_of_calls(self.http_trace, self.fate, _name_of)


class _OnePersona:
    """Implements `Choices`: there is no choice."""

    personas: Sequence[str] = ("banter",)
    models: Sequence[str] = ()
    languages: Mapping[str, str] = {}

    def admits(self, _message: InboundMessage) -> bool:
        return True

    async def at(self, _message: InboundMessage) -> Chosen:
        return Chosen("banter", "paper")


def _name_of(call: SimpleNamespace, _told: object) -> str:
    asked = call.trace_request_ctx
    return _NAMES.get((asked.route.method, asked.route.path), "") if isinstance(asked, Call) else ""


def _options(token: str) -> ReceiverOptions:
    line = LineOptions(
        token, open_s=3.0, silence_s=1.5 * HEARTBEAT_S, short_s=0.3, invalid_s=(0.05, 0.25), pauses=_QUICK
    )
    return ReceiverOptions(
        line,
        apart_s=5.1 / SPEED,
        renew_s=0.3,
        catch_up=CatchUp(pauses=_QUICK),
        keeping=KeepingLimits(pauses=_QUICK),
    )


async def _offer(rest: DiscordRest) -> None:
    """As the program does it, and sooner again."""
    while True:
        with contextlib.suppress(PlatformError):
            await register(rest, commands_of(LabelBook().by_language))
            return
        await asyncio.sleep(_OFFER_AGAIN_S)
