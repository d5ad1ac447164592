"""Who speaks: a person, or a chat on whose behalf somebody does."""

from telegram import Chat, Message, User

from adapters.telegram.told import NotUnderstood, number, text
from core.dialogue import Person, Platform


def author_of(message: Message, connection: str) -> Person:
    """A chat that somebody speaks for goes before them: Telegram puts a stand-in there. Raises NotUnderstood."""
    if message.sender_chat is not None:
        return person_of_chat(message.sender_chat, connection)
    if message.from_user is not None:
        return person_of_user(message.from_user, connection)
    if message.chat.type == Chat.CHANNEL:
        return person_of_chat(message.chat, connection)
    raise NotUnderstood("a message is nobody's")


def is_a_bots(message: Message) -> bool:
    """Anonymous administrators and channels are not bots, though their stand-ins are."""
    return message.sender_chat is None and message.from_user is not None and bool(message.from_user.is_bot)


def person_of_user(user: User, connection: str) -> Person:
    name = " ".join(text(part) for part in (user.first_name, user.last_name) if part)
    return Person(Platform.TELEGRAM, connection, str(number(user.id)), name)


def person_of_chat(chat: Chat, connection: str) -> Person:
    return Person(Platform.TELEGRAM, connection, str(number(chat.id)), text(chat.title or ""))
