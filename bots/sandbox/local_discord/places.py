"""Servers and channels as a test holds them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bots.sandbox.local_discord.accounts import May
from bots.sandbox.local_discord.sights import ChannelSeen, MessageSeen, channel_seen
from bots.sandbox.orders import Orders

#: Longer than anything takes that is not broken.
WAIT_S = 10.0


class NeverSeen(AssertionError):
    """A channel did not show what was waited for."""


@dataclass(frozen=True, slots=True)
class Place:
    """A channel, a thread, a DM, a group DM."""

    orders: Orders = field(repr=False)
    id: str
    #: "" for DMs.
    guild_id: str
    bot_id: str

    @property
    def mention(self) -> str:
        return f"<#{self.id}>"

    async def look(self) -> ChannelSeen:
        return channel_seen(await self.orders.ask("seen", channel=self.id), self.bot_id)

    async def until(self, is_there: Callable[[ChannelSeen], bool], timeout_s: float = WAIT_S) -> ChannelSeen:
        """Looks until it is there. Raises NeverSeen."""
        deadline = time.monotonic() + timeout_s
        while True:
            seen = await self.look()
            if is_there(seen):
                return seen
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                texts = [(message.id, message.text) for message in seen.messages]
                raise NeverSeen(f"after {timeout_s} s the channel {self.id} shows {texts}")
            await self.orders.give("wait", version=seen.version, timeout_s=left_s, channel=self.id)

    async def shows(self, text: str, timeout_s: float = WAIT_S) -> MessageSeen:
        """The app's newest message that says this and nothing else, once it does."""

        def is_shown(message: MessageSeen) -> bool:
            return message.text == text and not message.is_loading

        seen = await self.until(lambda channel: any(map(is_shown, channel.bots)), timeout_s)
        return next(message for message in reversed(seen.bots) if is_shown(message))

    async def answers(self, count: int = 1, timeout_s: float = WAIT_S) -> list[MessageSeen]:
        """What the app wrote, once there is so much of it."""
        return (await self.until(lambda seen: len(seen.bots) >= count, timeout_s)).bots

    async def deny(self, *permissions: May) -> None:
        """The bot may not do these here, and may do what else it may."""
        bits = 0
        for permission in permissions:
            bits |= permission
        await self.orders.give("deny", channel=self.id, denied=bits)

    async def archive(self) -> None:
        await self.orders.give("change_thread", channel=self.id, is_archived=True)

    async def unarchive(self) -> None:
        await self.orders.give("change_thread", channel=self.id, is_archived=False)

    async def lock(self) -> None:
        """And archive, as people do it."""
        await self.orders.give("change_thread", channel=self.id, is_locked=True, is_archived=True)

    async def rename(self, name: str) -> None:
        await self.orders.give("change_thread", channel=self.id, name=name)

    async def add_bot(self) -> None:
        """To a private thread."""
        await self.orders.give("add_to_thread", channel=self.id)

    async def delete_messages(self, *messages: MessageSeen) -> None:
        """All at once, as moderators do."""
        ids = [message.id for message in messages]
        await self.orders.give("delete", channel=self.id, messages=ids, is_bulk=True)

    async def delete(self) -> None:
        """The channel itself, with its threads."""
        await self.orders.give("remove_channel", channel=self.id)

    async def unfurl(self, message: MessageSeen) -> None:
        """A MESSAGE_UPDATE in which the text stays: a link's preview came."""
        await self.orders.give("unfurl", channel=self.id, message=message.id)

    def thread_of(self, message: MessageSeen) -> "Place":
        """The one that was, or will be, begun from it: it has the message's id."""
        return Place(self.orders, message.id, self.guild_id, self.bot_id)

    async def thread_from(self, message: MessageSeen, timeout_s: float = WAIT_S) -> "Place":
        """As soon as it is there. Raises NeverSeen."""
        deadline = time.monotonic() + timeout_s
        while True:
            version = (await self.orders.ask("state"))["version"]
            known = await self.orders.give("channels")
            if isinstance(known, list) and any(one["id"] == message.id for one in known):
                return self.thread_of(message)
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise NeverSeen(f"after {timeout_s} s there is no thread from {message.id}")
            await self.orders.give("wait", version=version, timeout_s=left_s)


@dataclass(frozen=True, slots=True)
class Server:
    """A guild."""

    orders: Orders = field(repr=False)
    id: str
    name: str
    bot_id: str

    async def channel(self, name: str, kind: str = "text", *, denied: May | int = 0, topic: str = "") -> Place:
        """`kind`: text, announcement, voice, stage."""
        given = {"kind": kind.upper(), "denied": int(denied), "topic": topic}
        told = await self.orders.ask("channel", guild=self.id, name=name, **given)
        return Place(self.orders, str(told["id"]), self.id, self.bot_id)

    async def forum(self, name: str, *tags: str, is_media: bool = False) -> Place:
        given: dict[str, object] = {"kind": "MEDIA" if is_media else "FORUM", "tags": list(tags)}
        told = await self.orders.ask("channel", guild=self.id, name=name, **given)
        return Place(self.orders, str(told["id"]), self.id, self.bot_id)

    async def role(self, name: str, person_id: str = "") -> str:
        """For a person too, where one is given; its id."""
        return str((await self.orders.ask("role", guild=self.id, name=name, person=person_id))["id"])

    async def nickname(self, person_id: str, nick: str) -> None:
        await self.orders.give("join", guild=self.id, person=person_id, nick=nick)

    async def add_bot(self, permissions: May | int | None = None) -> str:
        """Gives the id of the bot's own role."""
        given = {} if permissions is None else {"permissions": int(permissions)}
        return str((await self.orders.ask("add_bot", guild=self.id, **given))["role"])

    async def kick_bot(self) -> None:
        await self.orders.give("kick_bot", guild=self.id)

    async def fails(self) -> None:
        """It is unavailable: an outage."""
        await self.orders.give("outage", guild=self.id)

    async def recovers(self) -> None:
        await self.orders.give("outage", guild=self.id, is_out=False)
