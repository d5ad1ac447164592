"""Whether the bot may do something in a chat, in the order in which Telegram looks at it."""

from bots.sandbox.local_telegram.chats import Chat, Kind, Standing
from bots.sandbox.local_telegram.messages import Message
from bots.sandbox.local_telegram.parameters import Parameters
from bots.sandbox.local_telegram.refusals import bad_request, forbidden
from bots.sandbox.local_telegram.world import World, topic_in

_NAMES = {Kind.GROUP: "group", Kind.SUPERGROUP: "supergroup", Kind.CHANNEL: "channel"}


def chat_of(world: World, parameters: Parameters) -> Chat:
    """The chat of a call, which the bot may not be in any more. Raises Refused."""
    if not parameters.text("chat_id"):
        raise bad_request("chat_id is empty")
    business = parameters.text("business_connection_id")
    if business and business not in world.businesses:
        raise bad_request("business connection not found")
    return world.chat(parameters.integer("chat_id"), business)


def readable_chat(world: World, parameters: Parameters) -> Chat:
    chat = chat_of(world, parameters)
    if chat.kind in {Kind.SUPERGROUP, Kind.CHANNEL}:
        _check_membership(chat)
    return chat


def editable_chat(world: World, parameters: Parameters) -> Chat:
    chat = chat_of(world, parameters)
    _check_private(chat)
    if not chat.is_private and not chat.moved_to:
        _check_membership(chat)
    return chat


def writable_chat(world: World, parameters: Parameters) -> Chat:
    chat = chat_of(world, parameters)
    _check_private(chat)
    if chat.moved_to:
        raise bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.moved_to)
    if chat.is_deleted:
        raise forbidden("the group chat was deleted")
    if not chat.is_private:
        _check_membership(chat)
    return chat


def check_right_to_speak(chat: Chat) -> None:
    if not chat.is_private and not chat.members_may_write and chat.standing is not Standing.ADMINISTRATOR:
        raise bad_request("not enough rights to send text messages to the chat")


def check_topic(chat: Chat, thread_id: int) -> int:
    """The topic to write in; 0 where the chat has none. Raises Refused.

    General is no thread: naming it (1) is refused. Where a chat can't have topics, the thread is passed over.
    """
    if not thread_id or not (chat.is_forum or chat.is_private):
        return 0
    topic = topic_in(chat, thread_id)
    if topic.is_closed and not may(chat, "can_manage_topics"):
        raise bad_request("TOPIC_CLOSED")
    return topic.id


def may(chat: Chat, right: str) -> bool:
    return chat.standing is Standing.ADMINISTRATOR and right in chat.rights


def message_of(chat: Chat, parameters: Parameters, called: str) -> Message:
    """Raises Refused. `called`: "message to edit"."""
    message = chat.message(parameters.integer("message_id"))
    if message is None:
        raise bad_request(f"{called} not found")
    return message


def _check_private(chat: Chat) -> None:
    if chat.is_private and not chat.business:
        if chat.standing is Standing.KICKED:
            raise forbidden("bot was blocked by the user")
        if not chat.is_begun:
            raise forbidden("bot can't initiate conversation with a user")


def _check_membership(chat: Chat) -> None:
    if chat.standing is Standing.KICKED:
        raise forbidden(f"bot was kicked from the {_NAMES[chat.kind]} chat")
    if chat.standing is Standing.LEFT:
        raise forbidden(f"bot is not a member of the {_NAMES[chat.kind]} chat")
