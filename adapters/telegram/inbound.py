"""An update → what it says to the core. Pure: nothing is asked, sent or kept.

A service message says nothing: it has neither words nor files. Neither do channel posts that Telegram forwards to a
discussion by itself (their comments do), edits that leave no words (of a live location, of a picture without a caption:
an empty edit would take the question back), and whatever the other side of the bot's own correspondence writes: the
owner of a business account, the administrators of a channel in its direct messages.

Where one person writes to one party, nobody needs to call the bot: private chats, those of a business connection, and a
channel's direct messages. In groups and channels it is called by a mention, a reply or a command.
"""

from telegram import BusinessMessagesDeleted, Chat, Message, Update

from adapters.telegram.account import TelegramAccount
from adapters.telegram.calls import Heard, heard
from adapters.telegram.feedback import Opinions, pressed, reacted
from adapters.telegram.files import attachments_of
from adapters.telegram.people import author_of, is_a_bots
from adapters.telegram.places import chat_key, key_of, message_name
from adapters.telegram.quotes import quotes_of
from adapters.telegram.revision import revision_of
from adapters.telegram.told import number, text, word
from core.dialogue import Called, Deletion, Edit, Inbound, InboundMessage, Move, SessionKey


def to_inbound(update: Update, account: TelegramAccount, buttons: Opinions) -> list[Inbound]:
    """Raises NotUnderstood where it can't be understood."""
    for message in (update.message, update.channel_post, update.business_message):
        if message is not None:
            return _said(message, account)
    for message in (update.edited_message, update.edited_channel_post, update.edited_business_message):
        if message is not None:
            return _edited(message, account)
    if update.deleted_business_messages is not None:
        return _deleted(update.deleted_business_messages, account)
    if update.callback_query is not None:
        return [*pressed(update.callback_query, account, buttons)]
    if update.message_reaction is not None:
        return [*reacted(update.message_reaction, update.update_id, account)]
    return []


def _said(message: Message, account: TelegramAccount) -> list[Inbound]:
    key = key_of(message, account)
    if message.migrate_to_chat_id is not None:
        return [Move(key, str(number(message.migrate_to_chat_id)), keeps_message_ids=False)]
    said, attachments = _heard(message, account), attachments_of(message)
    quotes = quotes_of(message, account)
    if not (said.text or attachments or said.by_mention) or _is_for_nobody(message, key, said):
        return []
    reply_to_id = _reply_to_id(message, key)
    return [
        InboundMessage(
            key,
            author_of(message, key.workspace),
            message_name(key, message.message_id),
            said.text,
            message.date,
            Called(
                _is_direct(message), said.by_mention, bool(reply_to_id) and _is_ours(message, account), said.by_command
            ),
            is_from_bot=is_a_bots(message),
            reply_to_id=reply_to_id,
            attachments=attachments,
            quotes=quotes,
            album=word(message.media_group_id or ""),
            wants_title=_wants_title(message),
        )
    ]


def _edited(message: Message, account: TelegramAccount) -> list[Inbound]:
    key = key_of(message, account)
    said = _heard(message, account)
    if not said.text or _is_for_nobody(message, key, said) or is_a_bots(message):
        return []
    person = author_of(message, key.workspace)
    revision = revision_of(message.edit_date, said.text)
    return [Edit(key, person, message_name(key, message.message_id), revision, said.text)]


def _deleted(deleted: BusinessMessagesDeleted, account: TelegramAccount) -> list[Inbound]:
    key = chat_key(deleted.chat.id, account, deleted.business_connection_id)
    return [Deletion(key, message_name(key, message_id)) for message_id in deleted.message_ids]


def _heard(message: Message, account: TelegramAccount) -> Heard:
    if message.text is not None:
        return heard(text(message.text), message.entities, account)
    return heard(text(message.caption or ""), message.caption_entities, account)


def _is_for_nobody(message: Message, key: SessionKey, said: Heard) -> bool:
    return said.is_for_another or bool(message.is_automatic_forward) or _is_from_the_other_side(message, key)


def _is_from_the_other_side(message: Message, key: SessionKey) -> bool:
    """A chat of a business connection has the id of whoever writes to its owner."""
    sender = None if message.from_user is None else number(message.from_user.id)
    if key.workspace:
        return str(sender) != key.channel
    topic = message.direct_messages_topic
    if topic is None:
        return False
    return message.sender_chat is not None or (topic.user is not None and sender != topic.user.id)


def _is_direct(message: Message) -> bool:
    return message.chat.type == Chat.PRIVATE or message.direct_messages_topic is not None


def _reply_to_id(message: Message, key: SessionKey) -> str:
    """Every plain message of a topic comes as a reply to the message that began it, and is none."""
    replied = message.reply_to_message
    if replied is None or _begins_topic(replied) or (key.thread and replied.message_id == message.message_thread_id):
        return ""
    return message_name(key, replied.message_id)


def _begins_topic(message: Message) -> bool:
    return message.forum_topic_created is not None


def _is_ours(message: Message, account: TelegramAccount) -> bool:
    """Whether it replies to a message of the bot's own."""
    replied = message.reply_to_message
    if replied is None or replied.from_user is None or replied.sender_chat is not None:
        return False
    return str(replied.from_user.id) == account.id


def _wants_title(message: Message) -> bool:
    """As the message that began its topic says, which Telegram shows with all that are in it."""
    began = message.reply_to_message
    return (
        bool(message.is_topic_message)
        and began is not None
        and began.forum_topic_created is not None
        and bool(began.forum_topic_created.is_name_implicit)
    )
