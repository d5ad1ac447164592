"""People and chats as a test holds them: what they do is an order to the server."""

import base64
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.sights import ChatSeen, MessageSeen, chat_seen, message_seen, messages_seen
from bots.sandbox.orders import Orders

#: Longer than anything takes that is not broken.
WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    content: bytes
    type: str = "text/plain"
    #: What the sender's client says; None: the truth.
    size: int | None = None
    is_photo: bool = False

    def to_json(self) -> JsonObject:
        told: JsonObject = {"name": self.name, "content": base64.b64encode(self.content).decode(), "type": self.type}
        told |= {"is_photo": self.is_photo}
        return told if self.size is None else told | {"size": self.size}


class NeverSeen(AssertionError):
    """A chat did not show what was waited for."""


@dataclass(frozen=True, slots=True)
class Place:
    """A chat."""

    orders: Orders = field(repr=False)
    id: int
    #: The business connection that it belongs to; "" for all others.
    business: str = ""

    async def look(self) -> ChatSeen:
        return chat_seen(await self.orders.ask("seen", chat_id=self.id, business=self.business))

    async def until(self, is_there: Callable[[ChatSeen], bool], timeout_s: float = WAIT_S) -> ChatSeen:
        """Looks until it is there. Raises NeverSeen."""
        deadline = time.monotonic() + timeout_s
        while True:
            seen = await self.look()
            if is_there(seen):
                return seen
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                texts = [(message.id, message.text) for message in seen.messages]
                raise NeverSeen(f"after {timeout_s} s the chat {self.id} shows {texts}")
            place = {"chat_id": self.id, "business": self.business}
            await self.orders.give("wait", version=seen.version, timeout_s=left_s, **place)

    async def shows(self, text: str, timeout_s: float = WAIT_S) -> MessageSeen:
        """The bot's newest message, once it says this and nothing else."""
        seen = await self.until(lambda chat: any(message.text == text for message in chat.bots), timeout_s)
        return next(message for message in reversed(seen.bots) if message.text == text)

    async def answers(self, count: int = 1, timeout_s: float = WAIT_S) -> list[MessageSeen]:
        """What the bot wrote, once there is so much of it."""
        return (await self.until(lambda chat: len(chat.bots) >= count, timeout_s)).bots

    async def upgrade(self) -> "Place":
        """The group becomes a supergroup: another chat."""
        chat = await self.orders.ask("upgrade", chat_id=self.id)
        return Place(self.orders, int(str(chat["id"])))

    async def kick_bot(self) -> None:
        await self._stand("kicked")

    async def bot_leaves(self) -> None:
        await self._stand("left")

    async def add_bot(self) -> None:
        await self._stand("member")

    async def promote_bot(self, *rights: str) -> None:
        await self._stand("administrator", rights)

    async def permit(self, *, members_may_write: bool) -> None:
        await self.orders.give("permit", chat_id=self.id, members_may_write=members_may_write)

    async def delete(self) -> None:
        await self.orders.give("delete_chat", chat_id=self.id)

    async def delete_topic(self, thread_id: int) -> None:
        await self.orders.give("delete_topic", chat_id=self.id, thread_id=thread_id)

    async def touch(self, message: MessageSeen) -> None:
        """An edit in which nothing changes that a bot can see."""
        await self.orders.give("touch", chat_id=self.id, business=self.business, message_id=message.id)

    async def delete_message(self, message: MessageSeen) -> None:
        await self.orders.give("delete", chat_id=self.id, business=self.business, message_id=message.id)

    async def _stand(self, standing: str, rights: Sequence[str] = ()) -> None:
        await self.orders.give("stand", chat_id=self.id, standing=standing, rights=list(rights))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who uses Telegram. Where no chat is named, it is the one with the bot alone."""

    orders: Orders = field(repr=False)
    id: int
    name: str
    username: str = ""

    @property
    def chat(self) -> Place:
        return Place(self.orders, self.id)

    async def says(
        self,
        text: str,
        chat: Place | None = None,
        *,
        thread_id: int = 0,
        reply_to: MessageSeen | None = None,
        quote: str = "",
        entities: Sequence[JsonObject] | None = None,
        more: JsonObject | None = None,
    ) -> MessageSeen:
        """`more`: what Telegram says of the message besides: a sticker, a voice message, where it comes from."""
        where = chat or self.chat
        reply_to_id = reply_to.id if reply_to else 0
        spot = {"chat_id": where.id, "business": where.business, "thread_id": thread_id, "reply_to_id": reply_to_id}
        given = {"entities": None if entities is None else list(entities), "more": more, "quote": quote}
        return message_seen(await self.orders.give("say", person=self.id, text=text, **spot, **given))

    async def sends(
        self, *documents: Document, caption: str = "", chat: Place | None = None, thread_id: int = 0
    ) -> tuple[MessageSeen, ...]:
        """Several are an album."""
        where = chat or self.chat
        files = [document.to_json() for document in documents]
        spot = {"chat_id": where.id, "business": where.business, "thread_id": thread_id}
        return messages_seen(await self.orders.give("send_files", person=self.id, caption=caption, files=files, **spot))

    async def joins(self, chat: Place) -> None:
        await self.orders.give("join", person=self.id, chat_id=chat.id)

    async def edits(self, message: MessageSeen, text: str, chat: Place | None = None) -> MessageSeen:
        return message_seen(await self._to_message("edit", message, chat, text=text))

    async def presses(self, button: str, message: MessageSeen, chat: Place | None = None) -> str:
        """What stands on the button, or its data; gives the press's id."""
        return str(await self._to_message("press", message, chat, button=button))

    async def forges_press(self, data: str, message: MessageSeen, chat: Place | None = None) -> str:
        """As a modified client does, with a button that is not there."""
        return str(await self._to_message("press", message, chat, button=data, is_forged=True))

    async def reacts(self, message: MessageSeen, *emoji: str, chat: Place | None = None) -> None:
        await self._to_message("react", message, chat, emoji=list(emoji))

    async def opens_topic(self, name: str, chat: Place | None = None, *, is_name_implicit: bool = False) -> int:
        """Gives the thread's id. Implicit: nobody chose the name, and the bot may give a better one."""
        where = chat or self.chat
        topic = await self.orders.ask(
            "open_topic", person=self.id, chat_id=where.id, name=name, is_name_implicit=is_name_implicit
        )
        return int(str(topic["message_thread_id"]))

    async def closes_topic(self, thread_id: int, chat: Place) -> None:
        await self._toggles(thread_id, chat, is_closed=True)

    async def reopens_topic(self, thread_id: int, chat: Place) -> None:
        await self._toggles(thread_id, chat, is_closed=False)

    async def blocks(self) -> None:
        """The bot; it is told."""
        await self.orders.give("stand", chat_id=self.id, standing="kicked", person=self.id)

    async def unblocks(self) -> None:
        await self.orders.give("stand", chat_id=self.id, standing="member", person=self.id)

    async def _toggles(self, thread_id: int, chat: Place, *, is_closed: bool) -> None:
        await self.orders.give(
            "toggle_topic", person=self.id, chat_id=chat.id, thread_id=thread_id, is_closed=is_closed
        )

    async def _to_message(self, order: str, message: MessageSeen, chat: Place | None, **given: object) -> object:
        where = chat or self.chat
        place = {"chat_id": where.id, "business": where.business, "message_id": message.id}
        return await self.orders.give(order, person=self.id, **place, **given)
