"""What people do with the app's commands, buttons and modals: each is told once, and has to be answered in time.

A token is good for fifteen minutes once the interaction was answered; one that was not answered in three seconds is
over.
"""

import asyncio
import time
from dataclasses import dataclass, field
from enum import IntEnum

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord.access import bot_may
from bots.sandbox.local_discord.accounts import User
from bots.sandbox.local_discord.channels import Channel, Kind
from bots.sandbox.local_discord.ids import secret_text
from bots.sandbox.local_discord.messages import Message
from bots.sandbox.local_discord.refusals import Refused
from bots.sandbox.local_discord.wire import channel_json, message_json
from bots.sandbox.local_discord.world import Event, World

_ATTACHMENT_BYTES = 10 << 20
_MOST = 100_000
#: Everything: nobody looks at what people may do.
_ALL = str((1 << 53) - 1)


class Type(IntEnum):
    """By Discord's numbers."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL_SUBMIT = 5


@dataclass(slots=True)
class Interaction:
    id: str
    token: str = field(repr=False)
    kind: Type
    user: User
    channel: Channel
    #: "0" → server, or "0" in the bot's DM; "1" → the person who has the app.
    owners: dict[str, str]
    data: JsonObject
    #: Server time.
    began: float
    #: Whose button was pressed.
    message: Message | None = None
    #: Of a menu that is called on a message.
    is_menu: bool = False
    #: How it was answered; 0: it was not.
    answer: int = 0
    answer_data: JsonObject = field(default_factory=dict)
    #: `time.monotonic()`, when it was told and when it was answered.
    told_at: float = 0.0
    answered_at: float = 0.0
    original_id: str = ""
    follow_up_ids: list[str] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def has_bot(self) -> bool:
        """Whether the app is installed in the server, or it is the bot's own DM."""
        return "0" in self.owners

    def shown(self) -> JsonObject:
        """For tests: how it was answered."""
        return {
            "id": self.id,
            "token": self.token,
            "type": self.answer,
            "data": self.answer_data,
            "message_id": self.original_id,
            "follow_up_ids": list(self.follow_up_ids),
            "told_at": self.told_at,
            "answered_at": self.answered_at,
            "kind": int(self.kind),
        }


class Interactions:
    """Everybody's."""

    def __init__(self, world: World) -> None:
        self._world = world
        #: By id, oldest first.
        self.known: dict[str, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}
        #: What is open before whom, and which interaction opened it.
        self.modals: dict[str, tuple[JsonObject, Interaction]] = {}

    def begin(
        self, kind: Type, user: User, channel: Channel, data: JsonObject, message: Message | None = None
    ) -> Interaction:
        """It is told. Raises Refused where the person can't do so."""
        world = self._world
        if len(self.known) >= _MOST:
            raise ValueError("there were too many interactions")
        owners = self._owners(user, channel)
        if not owners:
            raise Refused(403, 50001)
        interaction = Interaction(
            world.ids.next(), f"aW50ZXJhY3Rpb24-{secret_text()}", kind, user, channel, owners, data, world.clock.now()
        )
        interaction.message = message
        self.known[interaction.id] = interaction
        self._by_token[interaction.token] = interaction
        interaction.told_at = time.monotonic()
        told = self._told(interaction)
        world.tell(Event("INTERACTION_CREATE", told, 0, channel.guild_id, None, channel.id))
        return interaction

    async def until_answered(self, interaction: Interaction) -> JsonObject:
        """How it was; with type 0 where it was not in time."""
        waiting = asyncio.ensure_future(
            self._world.clock.until(interaction.began + self._world.options.limits.answer_s)
        )
        answered = asyncio.ensure_future(interaction.answered.wait())
        try:
            await asyncio.wait({waiting, answered}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            answered.cancel()
        return interaction.shown()

    def to_answer(self, interaction_id: str, token: str) -> Interaction:
        """One that waits. Raises Refused."""
        interaction = self._by_token.get(token)
        if interaction is None or interaction.id != interaction_id:
            raise Refused(404, 10062)
        if interaction.answer:
            raise Refused(400, 40060)
        if self._world.clock.now() - interaction.began > self._world.options.limits.answer_s:
            raise Refused(404, 10062)
        return interaction

    def answered_one(self, token: str) -> Interaction:
        """Whose token is good. Raises Refused."""
        interaction = self._by_token.get(token)
        if interaction is None or not interaction.answer:
            raise Refused(404, 10015)
        if self._world.clock.now() - interaction.began > self._world.options.limits.token_age_s:
            raise Refused(401, 50027)
        return interaction

    def note_answer(self, interaction: Interaction, kind: int, data: JsonObject) -> None:
        interaction.answer, interaction.answer_data = kind, data
        interaction.answered_at = time.monotonic()
        interaction.answered.set()
        self._world.changes.happen()

    def _owners(self, user: User, channel: Channel) -> dict[str, str]:
        world, owners = self._world, dict[str, str]()
        guild = world.guild_of(channel)
        if guild is not None and world.bot.id in guild.members and world.options.app.guild_install:
            owners["0"] = guild.id
        if channel.kind is Kind.DM:
            owners["0"] = "0"
        return owners | ({"1": user.id} if user.has_app and world.options.app.user_install else {})

    def _told(self, interaction: Interaction) -> JsonObject:
        """As INTERACTION_CREATE carries it."""
        world, channel, user = self._world, interaction.channel, interaction.user
        told: JsonObject = {
            "id": interaction.id,
            "application_id": world.app_id,
            "type": int(interaction.kind),
            "data": interaction.data,
            "token": interaction.token,
            "version": 1,
            "channel": channel_json(channel),
            "channel_id": channel.id,
            "locale": user.locale,
            "app_permissions": str(int(bot_may(world, channel))),
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": interaction.owners,
            "context": _context(channel),
            "attachment_size_limit": _ATTACHMENT_BYTES,
        }
        if interaction.message is not None:
            told["message"] = message_json(world, channel, interaction.message, sees_content=True)
        guild = world.guild_of(channel)
        if guild is None:
            return told | {"user": user.to_json()}
        told |= {"guild_id": guild.id, "guild_locale": "en-US"}
        told["guild"] = {"id": guild.id, "locale": "en-US", "features": []}
        member = guild.members.get(user.id)
        if member is None:
            raise Refused(403, 50001)
        return told | {"member": member.to_json(with_user=True) | {"permissions": _ALL}}


def _context(channel: Channel) -> int:
    """0 in servers, 1 in the bot's DM, 2 elsewhere."""
    if channel.kind is Kind.DM:
        return 1
    return 2 if channel.kind is Kind.GROUP_DM else 0


def metadata_json(interaction: Interaction) -> JsonObject:
    """As messages carry it."""
    told: JsonObject = {"id": interaction.id, "type": int(interaction.kind), "user": interaction.user.to_json()}
    return told | {"authorizing_integration_owners": interaction.owners}
