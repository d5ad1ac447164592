"""People as a test holds them: what they do is an order to the server."""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord.interaction_sights import (
    AnswerSeen,
    ModalSeen,
    answer_seen,
    modal_seen,
)
from bots.sandbox.local_discord.places import WAIT_S, NeverSeen, Place, Server
from bots.sandbox.local_discord.sights import MessageSeen, message_seen
from bots.sandbox.orders import Orders


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    content: bytes
    type: str = "text/plain; charset=utf-8"
    #: What the message says of it; None: the truth.
    size: int | None = None

    def to_json(self) -> JsonObject:
        told: JsonObject = {"name": self.name, "content": base64.b64encode(self.content).decode(), "type": self.type}
        return told if self.size is None else told | {"size": self.size}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who uses Discord. Where no channel is named, it is the DM with the bot."""

    orders: Orders = field(repr=False)
    id: str
    name: str
    dm: Place

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    async def says(
        self,
        text: str,
        channel: Place | None = None,
        *,
        reply_to: MessageSeen | None = None,
        pings: bool = True,
        files: Sequence[Document] = (),
    ) -> MessageSeen:
        """`pings`: whether the one replied to is told, as people may choose."""
        given: JsonObject = {"reply_to": reply_to.id if reply_to else "", "pings": pings}
        given |= {"files": [file.to_json() for file in files], "channel": (channel or self.dm).id}
        return message_seen(await self.orders.give("say", person=self.id, text=text, **given))

    async def says_by_webhook(self, text: str, channel: Place) -> MessageSeen:
        given: JsonObject = {"channel": channel.id, "is_webhook": True}
        return message_seen(await self.orders.give("say", person=self.id, text=text, **given))

    async def edits(self, message: MessageSeen, text: str, channel: Place | None = None) -> MessageSeen:
        given = {"channel": (channel or self.dm).id, "message": message.id}
        return message_seen(await self.orders.give("edit", text=text, **given))

    async def deletes(self, message: MessageSeen, channel: Place | None = None) -> None:
        await self.orders.give("delete", channel=(channel or self.dm).id, messages=[message.id])

    async def reacts(self, emoji: str, message: MessageSeen, channel: Place | None = None) -> None:
        given = {"channel": (channel or self.dm).id, "message": message.id}
        await self.orders.give("react", person=self.id, emoji=emoji, **given)

    async def takes_back(self, emoji: str, message: MessageSeen, channel: Place | None = None) -> None:
        """A reaction."""
        given = {"channel": (channel or self.dm).id, "message": message.id}
        await self.orders.give("unreact", person=self.id, emoji=emoji, **given)

    async def types(self, channel: Place | None = None) -> None:
        await self.orders.give("type", person=self.id, channel=(channel or self.dm).id)

    async def begins_thread(
        self, name: str, channel: Place, message: MessageSeen | None = None, *, is_private: bool = False
    ) -> Place:
        """From a message, or without one."""
        given = {"channel": channel.id, "message": message.id if message else "", "is_private": is_private}
        told = await self.orders.ask("thread", person=self.id, name=name, **given)
        return Place(self.orders, str(told["id"]), channel.guild_id, channel.bot_id)

    async def posts(
        self, title: str, text: str, forum: Place, *, tags: Sequence[str] = (), files: Sequence[Document] = ()
    ) -> Place:
        """In a forum: the thread, whose first message has its id."""
        given: JsonObject = {"channel": forum.id, "tags": list(tags), "files": [file.to_json() for file in files]}
        told = await self.orders.ask("post", person=self.id, title=title, text=text, **given)
        return Place(self.orders, str(told["id"]), forum.guild_id, forum.bot_id)

    async def joins(self, server: Server, nick: str = "") -> None:
        await self.orders.give("join", person=self.id, guild=server.id, nick=nick)

    async def commands(self, name: str, channel: Place | None = None, **options: object) -> AnswerSeen:
        """A slash command, with its options; once the app has answered it, or did not in time."""
        given: JsonObject = {"channel": (channel or self.dm).id, "options": options}
        return answer_seen(await self.orders.give("command", person=self.id, name=name, **given))

    async def types_into(self, name: str, option: str, typed: str, channel: Place | None = None) -> AnswerSeen:
        """An option of a command that completes; see `choices` of the answer."""
        given = {"channel": (channel or self.dm).id, "option": option, "typed": typed}
        return answer_seen(await self.orders.give("autocomplete", person=self.id, name=name, **given))

    async def uses_on(self, name: str, message: MessageSeen, channel: Place | None = None) -> AnswerSeen:
        """A command of a message's menu: "Ask about this"."""
        given = {"channel": (channel or self.dm).id, "message": message.id}
        return answer_seen(await self.orders.give("use_on", person=self.id, name=name, **given))

    async def presses(
        self, button: str, message: MessageSeen, channel: Place | None = None, *, forged: str | None = None
    ) -> AnswerSeen:
        """What stands on it, or its custom id. `forged`: a custom id that it does not have."""
        given: JsonObject = {"channel": (channel or self.dm).id, "message": message.id, "wanted": button}
        given |= {} if forged is None else {"forged": forged}
        return answer_seen(await self.orders.give("press", person=self.id, **given))

    async def selects(
        self, menu: str, values: Sequence[str], message: MessageSeen, channel: Place | None = None
    ) -> AnswerSeen:
        """In a menu: its placeholder, or its custom id."""
        given: JsonObject = {"channel": (channel or self.dm).id, "message": message.id, "values": list(values)}
        return answer_seen(await self.orders.give("press", person=self.id, wanted=menu, **given))

    async def modal(self, timeout_s: float = WAIT_S) -> ModalSeen:
        """The one that is open, once there is one. Raises NeverSeen."""
        deadline = time.monotonic() + timeout_s
        while True:
            told = await self.orders.ask("modal", person=self.id)
            if told["modal"] is not None:
                return modal_seen(told["modal"])
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise NeverSeen(f"after {timeout_s} s no modal was opened")
            await self.orders.give("wait", version=told["version"], timeout_s=left_s)

    async def submits(self, **values: object) -> AnswerSeen:
        """The modal, with what is filled in, by custom id; what is not named stays as it was."""
        return answer_seen(await self.orders.give("submit", person=self.id, values=values))
