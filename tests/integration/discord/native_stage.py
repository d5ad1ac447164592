"""Discord's own means at work on the local Discord: its gateway, its windows and its three seconds are there."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from adapters.discord.account import DiscordAccount
from adapters.discord.acked_tokens import AckedTokens
from adapters.discord.api import DiscordRest
from adapters.discord.choices import Chosen
from adapters.discord.commands import commands_of
from adapters.discord.endpoint import speak_to
from adapters.discord.labels import LabelBook
from adapters.discord.native import Known, Native
from adapters.discord.receiver import DiscordReceiver, Records
from adapters.discord.registering import register
from adapters.discord.servers import Servers
from adapters.opinion_values import OpinionValues
from adapters.seals import Seals
from bots.discord_texts import label_book
from bots.sandbox.local_discord.driver import LocalDiscord
from core.dialogue import InboundMessage, SessionKey
from core.errors import DatabaseAway
from core.ports import Accept
from core.texts import Texts
from tests.integration.discord.receiving import Alone, Kept, options_for

OPINIONS = OpinionValues(b"the database's own")
SEALS = Seals(b"the database's other own")
CAT = Chosen("cat", "small")


class PaperTokens:
    """Implements `InteractionTokens`, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.is_away = False

    async def keep(self, interaction_id: str, token: str) -> None:
        if self.is_away:
            raise DatabaseAway("the database is away")
        self.kept[interaction_id] = token

    async def of(self, interaction_id: str) -> str | None:
        return self.kept.get(interaction_id)


@dataclass
class Offered:
    """Implements `Choices`."""

    chosen: Chosen = CAT
    #: Ids of people.
    shut_out: set[str] = field(default_factory=set)
    is_away: bool = False
    asked: list[SessionKey] = field(default_factory=list)
    personas: tuple[str, ...] = ("cat", "dog", "owl")
    models: tuple[str, ...] = ("big", "small")
    languages: Mapping[str, str] = field(default_factory=lambda: {"en": "English", "es": "español"})

    def admits(self, message: InboundMessage) -> bool:
        return message.person.platform_id not in self.shut_out

    async def at(self, message: InboundMessage) -> Chosen:
        self.asked.append(message.session_key)
        if self.is_away:
            raise DatabaseAway("the database is away")
        return self.chosen

    def now(self, **changed: object) -> None:
        self.chosen = replace(self.chosen, **changed)  # type: ignore[arg-type]


@dataclass
class NativeStage:
    """Implements `Interactions`."""

    discord: LocalDiscord
    rest: DiscordRest
    servers: Servers
    kept: Kept = field(default_factory=Kept)
    inner: PaperTokens = field(default_factory=PaperTokens)
    offered: Offered = field(default_factory=Offered)
    labels: LabelBook = field(default_factory=lambda: label_book(Texts(), "en"))

    def __post_init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """As after a restart: what is in memory alone is gone."""
        self.tokens = AckedTokens(self.inner)
        known = Known(self.discord.bot_id, OPINIONS, SEALS, self.servers.knows)
        self.native = Native(known, self.rest, self.tokens, self.offered, self.labels)

    async def receive(self, payload: Mapping[str, object], accept: Accept) -> None:
        await self.native.receive(payload, accept)

    @property
    def said(self) -> list[tuple[str, str]]:
        """The kind of each message's id, and its text."""
        return [(message.message_id[0], message.text) for message in self.kept.said]


@asynccontextmanager
async def native_stage(discord: LocalDiscord) -> AsyncIterator[NativeStage]:
    """The commands are registered, and the gateway is listened to."""
    speak_to(discord.api_url)
    rest, account = DiscordRest(discord.token), DiscordAccount(discord.bot_id)
    servers = Servers(account.id)
    stage = NativeStage(discord, rest, servers)
    receiver = DiscordReceiver(account, servers, rest, stage, Records(stage.kept, Alone()), options_for(discord))
    task = asyncio.create_task(receiver.run(stage.kept))
    try:
        await register(rest, commands_of(stage.labels.by_language))
        await discord.connected()
        yield stage
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await rest.aclose()
        speak_to()
