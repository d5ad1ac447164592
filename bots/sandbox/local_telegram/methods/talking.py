"""What is seen for a moment only: typing, drafts, answers to pressed buttons."""

import time

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.access import check_topic, writable_chat
from bots.sandbox.local_telegram.parameters import Parameters
from bots.sandbox.local_telegram.refusals import bad_request
from bots.sandbox.local_telegram.texts import given_text, units
from bots.sandbox.local_telegram.world import World

_ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
    "cancel",
}
_NOTICE_CHARS = 200
#: Older ones are forgotten.
_MOST_KEPT = 10_000


async def send_chat_action(world: World, parameters: Parameters) -> object:
    action = parameters.text("action").lower()
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = writable_chat(world, parameters)
    if chat.is_direct:
        raise bad_request("chat actions can't be sent to channel direct messages chats")
    thread_id = parameters.integer("message_thread_id")
    chat.actions.append({"at": time.monotonic(), "action": action, "thread_id": thread_id})
    del chat.actions[:-_MOST_KEPT]
    world.change(chat)
    return True


async def send_message_draft(world: World, parameters: Parameters) -> object:
    content = given_text(parameters, world.limits)
    if units(content.text) > world.limits.text_units:
        world.excesses["text"] += 1
        raise bad_request("MESSAGE_TOO_LONG")
    world.excesses["entities"] += content.dropped
    chat = writable_chat(world, parameters)
    draft_id = parameters.integer("draft_id")
    if not chat.is_private or chat.business:
        raise bad_request("TEXTDRAFT_PEER_INVALID")
    if not draft_id:
        raise bad_request("RANDOM_ID_INVALID")
    shown: JsonObject = {
        "at": time.monotonic(),
        "text": content.text,
        "entities": list(content.entities),
        "thread_id": check_topic(chat, parameters.integer("message_thread_id")),
    }
    drafts = chat.drafts.setdefault(draft_id, [])
    drafts.append(shown)
    del drafts[:-_MOST_KEPT]
    world.change(chat)
    return True


async def answer_callback_query(world: World, parameters: Parameters) -> object:
    press_id = parameters.text("callback_query_id")
    if world.presses.get(press_id, {}) is not None:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    if len(parameters.text("text")) > _NOTICE_CHARS:
        raise bad_request("MESSAGE_TOO_LONG")
    world.presses[press_id] = {"text": parameters.text("text"), "is_alert": parameters.flag("show_alert")}
    world.changes.happen()
    return True
