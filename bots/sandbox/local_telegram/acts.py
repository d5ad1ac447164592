"""What people do in chats, and what the bot is told of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.account import User
from bots.sandbox.local_telegram.chats import Chat, Kind, Standing
from bots.sandbox.local_telegram.keyboards import buttons
from bots.sandbox.local_telegram.messages import Message, Position, Version
from bots.sandbox.local_telegram.methods.messages import thread_of_reply
from bots.sandbox.local_telegram.privacy import is_meant_for
from bots.sandbox.local_telegram.refusals import bad_request
from bots.sandbox.local_telegram.texts import FormattedText, found_entities
from bots.sandbox.local_telegram.world import World, topic_in


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in a chat something is said."""

    chat_id: int
    business: str = ""
    thread_id: int = 0
    reply_to_id: int = 0
    quote: str = ""


class Acts:
    """Everything that a person can do to a message."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._presses = 0

    def say(
        self, person: User, spot: Spot, text: str, entities: Sequence[JsonObject] | None, more: JsonObject
    ) -> Message:
        """`entities`: those that Telegram would find, where they are not given. `more`: a sticker, a forward …"""
        chat = self._entered(person, spot)
        content = FormattedText(text, tuple(found_entities(text) if entities is None else entities))
        version = Version(time.monotonic(), content)
        message = self._world.write(chat, person, version, self._position(chat, person, spot), more)
        self._tell(chat, message)
        return message

    def send_files(self, person: User, spot: Spot, caption: str, files: Sequence[JsonObject]) -> list[Message]:
        """One file, or several as an album: a message for each, the caption on the first one. `files`: what each is."""
        chat = self._entered(person, spot)
        album: JsonObject = {"media_group_id": f"{chat.newest_id + 1}{person.id}"} if len(files) > 1 else {}
        messages = []
        for file, said in zip(files, [caption] + [""] * len(files), strict=False):
            version = Version(time.monotonic(), FormattedText(said, tuple(found_entities(said))))
            position = self._position(chat, person, spot)
            messages.append(self._world.write(chat, person, version, position, file | album))
        for message in messages:
            self._tell(chat, message)
        return messages

    def edit(self, person: User, chat: Chat, message_id: int, text: str) -> Message:
        message = self._find(chat, message_id)
        if message.sender.id != person.id:
            raise bad_request("people edit their own messages")
        self._world.rewrite(chat, message, Version(time.monotonic(), FormattedText(text, tuple(found_entities(text)))))
        self._tell(chat, message, is_edit=True)
        return message

    def touch(self, chat: Chat, message_id: int) -> Message:
        """An edit that changes nothing that a bot can see, as Telegram sends them at times."""
        message = self._find(chat, message_id)
        message.edit_date = self._world.now()
        self._tell(chat, message, is_edit=True)
        return message

    def delete(self, chat: Chat, message_id: int) -> None:
        """A bot is told of it by nobody, but in a business chat."""
        message = self._find(chat, message_id)
        message.deleted_at = time.monotonic()
        if chat.business:
            gone: JsonObject = {
                "business_connection_id": chat.business,
                "chat": chat.to_json(),
                "message_ids": [message_id],
            }
            self._world.tell("deleted_business_messages", chat, gone)
        self._world.change(chat)

    def press(self, person: User, chat: Chat, message_id: int, button: str) -> str:
        """Gives the press's id. `button`: what stands on it, or its data."""
        message = self._find(chat, message_id)
        shown = [known for row in buttons(message.now.keyboard) for known in row if "callback_data" in known]
        data = [str(known["callback_data"]) for known in shown if button in {known["text"], known["callback_data"]}]
        if not data:
            raise bad_request("there is no such button")
        return self.forge_press(person, chat, message_id, data[0])

    def forge_press(self, person: User, chat: Chat, message_id: int, data: str) -> str:
        """A press of a button that may never have been there, as a modified client can send it."""
        self._presses += 1
        press_id = f"{self._world.account.user.id}{self._presses:08}"
        self._world.presses[press_id] = None
        query: JsonObject = {
            "id": press_id,
            "from": person.to_json(),
            "message": self._world.told(chat, self._find(chat, message_id)),
            "chat_instance": str(chat.id),
            "data": data,
        }
        self._world.tell("callback_query", chat, query)
        return press_id

    def react(self, person: User, chat: Chat, message_id: int, emoji: Sequence[str]) -> None:
        """In groups only an administrator is told."""
        message = self._find(chat, message_id)
        old = message.reactions.get(person.id, [])
        new = message.reactions[person.id] = [{"type": "emoji", "emoji": one} for one in emoji]
        self._world.change(chat)
        if chat.is_private or chat.standing is Standing.ADMINISTRATOR:
            change: JsonObject = {"old_reaction": old, "new_reaction": new, "message_id": message_id}
            change |= {"chat": chat.to_json(), "user": person.to_json(), "date": self._world.now()}
            self._world.tell("message_reaction", chat, change)

    def _entered(self, person: User, spot: Spot) -> Chat:
        chat = self._world.chat(spot.chat_id, spot.business)
        if chat.moved_to or chat.is_deleted:
            raise bad_request("nobody can write there any more")
        if chat.is_private and not chat.business and chat.standing is Standing.KICKED:
            raise bad_request("who blocked the bot unblocks it first")
        chat.is_begun = True
        chat.members.setdefault(person.id, person)
        return chat

    def _position(self, chat: Chat, person: User, spot: Spot) -> Position:
        thread_id, is_topic_message = 0, False
        if spot.thread_id:
            thread_id, is_topic_message = topic_in(chat, spot.thread_id).id, True
        elif spot.reply_to_id:
            thread_id, is_topic_message = thread_of_reply(chat, self._find(chat, spot.reply_to_id))
        direct = person.id if chat.is_direct else 0
        return Position(thread_id, is_topic_message, direct, spot.reply_to_id, spot.quote)

    def _tell(self, chat: Chat, message: Message, *, is_edit: bool = False) -> None:
        if not is_meant_for(self._world.account, chat, message):
            return
        kind = "channel_post" if chat.kind is Kind.CHANNEL else "message"
        kind = "business_message" if chat.business else kind
        self._world.tell(f"edited_{kind}" if is_edit else kind, chat, self._world.told(chat, message))

    def _find(self, chat: Chat, message_id: int) -> Message:
        message = chat.message(message_id)
        if message is None:
            raise bad_request("there is no such message")
        return message
