"""Everything that there is: the bot, people, chats, what was said, and what the bot is told of it."""

import time
from collections import Counter

from bots.sandbox.changes import Changes
from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.account import BotAccount, BotOptions, User
from bots.sandbox.local_telegram.chats import Chat, Kind, Standing, Topic
from bots.sandbox.local_telegram.files import Files
from bots.sandbox.local_telegram.limits import Limits, Rates, Tallies
from bots.sandbox.local_telegram.messages import Message, Position, Version
from bots.sandbox.local_telegram.refusals import bad_request
from bots.sandbox.local_telegram.texts import FormattedText
from bots.sandbox.local_telegram.updates import Updates

_MOST_CHATS = 10_000


class World:
    """One bot's."""

    def __init__(self, bot: BotOptions, limits: Limits, rates: Rates, clock_skew_s: float) -> None:
        changes = Changes()
        self.account = BotAccount(bot)
        self.limits = limits
        self.tallies = Tallies(rates)
        self.updates = Updates(changes.happen)
        self.files = Files()
        self.people: dict[int, User] = {}
        self.chats: dict[tuple[str, int], Chat] = {}
        #: Business connections: id → who owns the account.
        self.businesses: dict[str, User] = {}
        #: Presses of buttons that were not answered yet, and how they were: id → what the person saw.
        self.presses: dict[str, JsonObject | None] = {}
        #: Where a bot asked for more than there is: of what, how often.
        self.excesses: Counter[str] = Counter()
        self.changes = changes
        self._clock_skew_s = clock_skew_s

    def now(self) -> int:
        """Unix seconds, as Telegram has them."""
        return int(time.time() + self._clock_skew_s)

    def change(self, chat: Chat) -> None:
        """Something can be seen there that was not there before."""
        chat.changes.happen()
        self.changes.happen()

    def chat(self, chat_id: int, business: str = "") -> Chat:
        """Raises Refused."""
        chat = self.chats.get((business, chat_id))
        if chat is None:
            raise bad_request("chat not found")
        return chat

    def open_chat(self, chat: Chat) -> Chat:
        if len(self.chats) >= _MOST_CHATS:
            raise bad_request("there are too many chats")
        return self.chats.setdefault(chat.place, chat)

    def write(self, chat: Chat, sender: User, version: Version, position: Position, more: JsonObject) -> Message:
        """A new message. `more`: as in `Message`."""
        message = Message(chat.next_id(), sender, self.now(), [version], position, more)
        chat.messages[message.id] = message
        self.change(chat)
        return message

    def note(self, chat: Chat, sender: User, what: JsonObject, thread_id: int = 0) -> Message:
        """A service message: what happened in the chat, or in a topic. The bot is told."""
        position = Position(thread_id, is_topic_message=thread_id != 0)
        message = self.write(chat, sender, Version(time.monotonic(), FormattedText("")), position, what)
        message.is_service = True
        self.tell("message", chat, self.told(chat, message))
        return message

    def rewrite(self, chat: Chat, message: Message, version: Version) -> None:
        message.versions.append(version)
        message.edit_date = self.now()
        self.change(chat)

    def tell(self, kind: str, chat: Chat, payload: JsonObject) -> int:
        """Gives the update's id; 0 where the bot is not told."""
        if not chat.is_private and chat.standing in {Standing.LEFT, Standing.KICKED} and kind != "my_chat_member":
            return 0
        return self.updates.add(kind, chat.place, payload)

    def told(self, chat: Chat, message: Message, *, with_reply: bool = True) -> JsonObject:
        """As updates and answers carry it; a reply is told one level deep."""
        said: JsonObject = {"message_id": message.id, "date": message.date, "chat": chat.to_json()}
        said |= {"sender_chat": chat.to_json()} if chat.kind is Kind.CHANNEL else {"from": message.sender.to_json()}
        content, position = message.now.content, message.position
        optional: JsonObject = {
            "business_connection_id": chat.business,
            "edit_date": message.edit_date,
            "message_thread_id": position.thread_id,
            "is_topic_message": position.is_topic_message,
            "caption" if message.is_captioned else "text": content.text,
            "caption_entities" if message.is_captioned else "entities": list(content.entities),
            "reply_markup": message.now.keyboard,
        }
        said |= {name: value for name, value in optional.items() if value}
        if position.direct_topic_id:
            person = self.people[position.direct_topic_id]
            said["direct_messages_topic"] = {"topic_id": person.id, "user": person.to_json()}
        if with_reply and (replied := self._replied(chat, message)) is not None:
            said["reply_to_message"] = self.told(chat, replied, with_reply=False)
            if position.quote:
                said["quote"] = {"text": position.quote, "position": 0, "is_manual": True}
        return said | message.more

    def _replied(self, chat: Chat, message: Message) -> Message | None:
        """In a topic, what replies to nothing replies to the topic's beginning."""
        position = message.position
        if position.reply_to_id:
            return chat.message(position.reply_to_id)
        begins_topic = position.thread_id == message.id
        return chat.message(position.thread_id) if position.is_topic_message and not begins_topic else None


def topic_in(chat: Chat, thread_id: int) -> Topic:
    """Raises Refused."""
    topic = chat.topics.get(thread_id)
    if topic is None or topic.is_deleted:
        raise bad_request("message thread not found")
    return topic
