"""Sending, editing and deleting."""

import time

from bots.sandbox.local_telegram.access import (
    check_right_to_speak,
    check_topic,
    editable_chat,
    may,
    message_of,
    readable_chat,
    writable_chat,
)
from bots.sandbox.local_telegram.chats import Chat, Kind
from bots.sandbox.local_telegram.files import StoredFile
from bots.sandbox.local_telegram.keyboards import given_keyboard
from bots.sandbox.local_telegram.messages import Message, Position, Version
from bots.sandbox.local_telegram.parameters import Parameters
from bots.sandbox.local_telegram.refusals import Refused, bad_request
from bots.sandbox.local_telegram.texts import FormattedText, given_text, units
from bots.sandbox.local_telegram.world import World


async def send_message(world: World, parameters: Parameters) -> object:
    content = _text(world, parameters, too_long="message is too long")
    keyboard = given_keyboard(parameters, world.limits)
    chat = writable_chat(world, parameters)
    position = _position(chat, parameters)
    check_right_to_speak(chat)
    count(world, chat)
    version = Version(time.monotonic(), content, keyboard)
    message = world.write(chat, world.account.user, version, position, {})
    return world.told(chat, message)


async def send_document(world: World, parameters: Parameters) -> object:
    content = given_text(parameters, world.limits, "caption", "caption_entities")
    if units(content.text) > world.limits.caption_units:
        raise bad_request("message caption is too long")
    keyboard = given_keyboard(parameters, world.limits)
    chat = writable_chat(world, parameters)
    position = _position(chat, parameters)
    check_right_to_speak(chat)
    file = _file(world, parameters)
    count(world, chat)
    version = Version(time.monotonic(), content, keyboard)
    message = world.write(chat, world.account.user, version, position, {"document": file.document()})
    return world.told(chat, message)


def _file(world: World, parameters: Parameters) -> StoredFile:
    """The one that is uploaded, or was sent before. Raises Refused."""
    named = parameters.text("document").removeprefix("attach://") or "document"
    if named in parameters.files:
        upload = parameters.files[named]
        if len(upload.content) > world.limits.upload_bytes:
            raise Refused(413, "Request Entity Too Large")
        if not upload.content:
            raise bad_request("file must be non-empty")
        return world.files.keep(upload)
    if not parameters.text("document"):
        raise bad_request("there is no document in the request")
    return world.files.find(parameters.text("document"))


async def edit_message_text(world: World, parameters: Parameters) -> object:
    content = _text(world, parameters, too_long="MESSAGE_TOO_LONG")
    keyboard = given_keyboard(parameters, world.limits)
    chat = editable_chat(world, parameters)
    message = _own(world, chat, parameters)
    if message.is_captioned:
        raise bad_request("there is no text in the message to edit")
    return _rewritten(world, chat, message, content, keyboard)


async def edit_message_reply_markup(world: World, parameters: Parameters) -> object:
    keyboard = given_keyboard(parameters, world.limits)
    chat = editable_chat(world, parameters)
    message = _own(world, chat, parameters)
    return _rewritten(world, chat, message, message.now.content, keyboard)


async def delete_message(world: World, parameters: Parameters) -> object:
    chat = writable_chat(world, parameters)
    message = message_of(chat, parameters, "message to delete")
    is_own = message.sender.id == world.account.user.id
    if not (is_own or chat.is_private or may(chat, "can_delete_messages")):
        raise bad_request("message can't be deleted")
    message.deleted_at = time.monotonic()
    world.change(chat)
    return True


async def set_message_reaction(world: World, parameters: Parameters) -> object:
    given = parameters.json("reaction", "reaction types") or []
    if not isinstance(given, list):
        raise bad_request("expected an Array of ReactionType")
    chat = readable_chat(world, parameters)
    message = message_of(chat, parameters, "message to react")
    if len(given) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    if any(not isinstance(reaction, dict) or reaction.get("type") != "emoji" for reaction in given):
        raise bad_request("REACTION_INVALID")
    message.reactions[world.account.user.id] = list(given)
    world.change(chat)
    return True


def count(world: World, chat: Chat) -> None:
    """Raises Refused (429) where it is too much."""
    try:
        world.tallies.count(chat.place, time.monotonic(), is_private=chat.is_private)
    except Refused:
        world.excesses["rate"] += 1
        raise


def _text(world: World, parameters: Parameters, *, too_long: str) -> FormattedText:
    if not parameters.text("text"):
        raise bad_request("message text is empty")
    parameters.json_object("link_preview_options", "link preview options")
    content = given_text(parameters, world.limits)
    if not content.text:
        raise bad_request("text must be non-empty")
    if units(content.text) > world.limits.text_units:
        world.excesses["text"] += 1
        raise bad_request(too_long)
    world.excesses["entities"] += content.dropped
    return content


def _position(chat: Chat, parameters: Parameters) -> Position:
    """Topic and reply of a new message. Raises Refused."""
    direct_topic_id = parameters.integer("direct_messages_topic_id")
    if chat.is_direct and direct_topic_id not in chat.members:
        raise bad_request("channel direct messages topic must be specified")
    thread_id = check_topic(chat, parameters.integer("message_thread_id"))
    replied, quote = _replied(chat, parameters)
    is_topic_message = thread_id != 0
    if replied is not None and not thread_id:
        thread_id, is_topic_message = thread_of_reply(chat, replied)
        check_topic(chat, thread_id if is_topic_message else 0)
    direct = direct_topic_id if chat.is_direct else 0
    return Position(thread_id, is_topic_message, direct, replied.id if replied else 0, quote)


def thread_of_reply(chat: Chat, replied: Message) -> tuple[int, bool]:
    """The thread of a reply, and whether it is a topic.

    A reply in a plain supergroup is told with the id of its chain's first message, which is no topic.
    """
    if replied.position.is_topic_message:
        return replied.position.thread_id, True
    if chat.kind is Kind.SUPERGROUP and not chat.is_forum and not chat.is_direct:
        return replied.position.thread_id or replied.id, False
    return 0, False


def _replied(chat: Chat, parameters: Parameters) -> tuple[Message | None, str]:
    given = parameters.json_object("reply_parameters", "reply parameters") or {
        "message_id": parameters.integer("reply_to_message_id"),
        "allow_sending_without_reply": parameters.flag("allow_sending_without_reply"),
    }
    message_id = given.get("message_id")
    if not isinstance(message_id, int) or message_id <= 0:
        return None, ""
    replied = chat.message(message_id)
    if replied is None:
        if given.get("allow_sending_without_reply"):
            return None, ""
        raise bad_request("message to be replied not found")
    quote = str(given.get("quote") or "")
    if quote and quote not in replied.now.content.text:
        raise bad_request("QUOTE_TEXT_INVALID")
    return replied, quote


def _own(world: World, chat: Chat, parameters: Parameters) -> Message:
    message = message_of(chat, parameters, "message to edit")
    if message.sender.id != world.account.user.id or message.is_service:
        raise bad_request("message can't be edited")
    return message


def _rewritten(
    world: World, chat: Chat, message: Message, content: FormattedText, keyboard: dict[str, object] | None
) -> object:
    """Raises Refused where nothing would change; Telegram says so as an error."""
    now = message.now
    if (now.content.text, now.content.entities, now.keyboard) == (content.text, content.entities, keyboard):
        raise bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same"
            " as a current content and reply markup of the message"
        )
    count(world, chat)
    world.rewrite(chat, message, Version(time.monotonic(), content, keyboard))
    return world.told(chat, message)
