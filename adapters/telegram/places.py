"""Where a message is, in the core's words: session keys, and the names of messages.

A chat of a business connection has the id of the person in it, and counts its messages apart from the bot's own chat
with that person: so the connection is in the session key, and in the names of its messages as well, by which the core
tells them apart within a channel.

A thread is a forum topic, or a topic of a private chat; "d" and a number is somebody's topic among a channel's direct
messages. A reply chain in an ordinary supergroup has a thread id too, and is no thread.
"""

from telegram import Message

from adapters.telegram.account import TelegramAccount
from adapters.telegram.told import number, word
from core.dialogue import Platform, SessionKey

#: What the threads of a channel's direct messages begin with.
_DIRECT_MESSAGES = "d"
_CONNECTION = "@"


def key_of(message: Message, account: TelegramAccount) -> SessionKey:
    """Raises NotUnderstood."""
    return chat_key(message.chat.id, account, message.business_connection_id, _thread(message))


def chat_key(chat_id: object, account: TelegramAccount, connection: object = None, thread: str = "") -> SessionKey:
    """Raises NotUnderstood."""
    return SessionKey(Platform.TELEGRAM, account.id, word(connection or ""), str(number(chat_id)), thread)


def _thread(message: Message) -> str:
    if message.direct_messages_topic is not None:
        return f"{_DIRECT_MESSAGES}{number(message.direct_messages_topic.topic_id)}"
    if message.is_topic_message and message.message_thread_id is not None:
        return str(number(message.message_thread_id))
    return ""


def message_name(key: SessionKey, message_id: object) -> str:
    """What the core knows a message by: "17", or "17@connection". Raises NotUnderstood."""
    name = str(number(message_id))
    return f"{name}{_CONNECTION}{key.workspace}" if key.workspace else name


def message_number(name: str) -> int:
    """The id that Telegram knows a message by. Raises ValueError."""
    return int(name.partition(_CONNECTION)[0])


def topic_of(thread: str) -> tuple[int | None, int | None]:
    """(`message_thread_id`, `direct_messages_topic_id`) that a message to this thread is sent with."""
    if thread.startswith(_DIRECT_MESSAGES):
        return None, int(thread.removeprefix(_DIRECT_MESSAGES))
    return (int(thread) if thread else None), None
