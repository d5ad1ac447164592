"""Answers to interactions: the callback, the original, and what follows."""

import time
from dataclasses import replace

from bots.sandbox.json_values import JsonObject, object_in
from bots.sandbox.local_discord import messages as kinds
from bots.sandbox.local_discord.asking import Asked
from bots.sandbox.local_discord.bodies import Body
from bots.sandbox.local_discord.contents import new_version
from bots.sandbox.local_discord.forms import check_modal
from bots.sandbox.local_discord.interactions import Interaction, Type, metadata_json
from bots.sandbox.local_discord.mentions import pings_in
from bots.sandbox.local_discord.messages import Message, Version
from bots.sandbox.local_discord.methods.messages import reference_json, remove, rewrite
from bots.sandbox.local_discord.refusals import Refused, invalid, unknown_message
from bots.sandbox.local_discord.telling import tell_message
from bots.sandbox.local_discord.wire import message_json
from bots.sandbox.local_discord.world import World

_SAY, _DEFER, _DEFER_UPDATE, _UPDATE, _CHOICES, _MODAL = 4, 5, 6, 7, 8, 9
_MOST_CHOICES = 25
_ORIGINAL = "@original"


async def callback(asked: Asked) -> object:
    world, interaction = asked.world, _waiting(asked)
    kind = asked.body.integer("type")
    given = replace(asked.body, values=asked.body.mapping("data"))
    _check_kind(interaction, kind)
    if kind in {_SAY, _DEFER}:
        message = _answer(world, interaction, given, is_loading=kind == _DEFER)
        interaction.original_id = message.id
    elif kind == _CHOICES:
        _check_choices(given)
    elif kind == _MODAL:
        check_modal(given)
        asked.interactions.modals[interaction.user.id] = dict(given.values), interaction
    elif interaction.message is not None:
        interaction.original_id = interaction.message.id
        if kind == _UPDATE:
            rewrite(world, interaction.channel, interaction.message, given)
    asked.interactions.note_answer(interaction, kind, dict(given.values))
    if asked.body.query.get("with_response", "").lower() not in {"true", "1"}:
        return None
    return _told_back(world, interaction, kind)


async def get_response(asked: Asked) -> object:
    interaction, message = _response(asked)
    return _told(asked.world, interaction, message)


async def edit_response(asked: Asked) -> object:
    interaction, message = _response(asked)
    thread = interaction.channel.thread
    if thread is not None and thread.is_archived:
        raise Refused(400, 50083)
    rewrite(asked.world, interaction.channel, message, asked.body)
    return _told(asked.world, interaction, message)


async def delete_response(asked: Asked) -> object:
    interaction, message = _response(asked)
    remove(asked.world, interaction.channel, [message])
    return None


async def follow_up(asked: Asked) -> object:
    """After a deferred answer, it is the answer."""
    world, interaction = asked.world, _by_token(asked)
    original = interaction.channel.messages.get(interaction.original_id)
    if interaction.answer == _DEFER and original is not None and original.now.flags & kinds.LOADING:
        rewrite(world, interaction.channel, original, asked.body)
        return _told(world, interaction, original)
    if not interaction.has_bot and len(interaction.follow_up_ids) >= world.options.limits.follow_ups:
        raise Refused(400, 40094)
    message = _answer(world, interaction, asked.body, is_loading=False)
    message.reference = reference_json(interaction.channel, interaction.original_id) if original is not None else None
    message.kind = kinds.REPLY if original is not None else kinds.DEFAULT
    interaction.follow_up_ids.append(message.id)
    return _told(world, interaction, message)


def _answer(world: World, interaction: Interaction, given: Body, *, is_loading: bool) -> Message:
    """A new message. Raises Refused."""
    flags = given.integer("flags")
    if is_loading:
        version = Version(time.monotonic(), "", flags=flags & kinds.EPHEMERAL | kinds.LOADING)
    else:
        version = new_version(world, given)
    channel = interaction.channel
    message = Message(world.ids.next(), world.bot.id, [version], _kind_of(interaction))
    message.webhook_id, message.interaction = world.app_id, metadata_json(interaction)
    message.only_for = interaction.user.id if flags & kinds.EPHEMERAL else ""
    if message.kind == kinds.REPLY and interaction.message is not None:
        message.reference = reference_json(channel, interaction.message.id)
    allowed = object_in(given.values.get("allowed_mentions")) if given.mapping("allowed_mentions") else None
    message.pings = pings_in(world, channel, version.content, allowed)
    world.write(channel, message)
    tell_message(world, channel, message)
    return message


def _kind_of(interaction: Interaction) -> int:
    if interaction.message is not None:
        return kinds.REPLY
    return kinds.CONTEXT_MENU_COMMAND if interaction.is_menu else kinds.CHAT_INPUT_COMMAND


def _check_kind(interaction: Interaction, kind: int) -> None:
    """Raises Refused."""
    allowed = {_SAY, _DEFER, _MODAL}
    if interaction.kind is Type.AUTOCOMPLETE:
        allowed = {_CHOICES}
    elif interaction.kind is Type.COMPONENT:
        allowed |= {_DEFER_UPDATE, _UPDATE}
    elif interaction.kind is Type.MODAL_SUBMIT:
        allowed = {_SAY, _DEFER} | ({_DEFER_UPDATE, _UPDATE} if interaction.message is not None else set())
    if kind not in allowed:
        raise invalid("type", "BASE_TYPE_CHOICES", f"Value must be one of {sorted(allowed)}.")


def _check_choices(given: Body) -> None:
    """Raises Refused."""
    choices = given.items("choices")
    if len(choices) > _MOST_CHOICES:
        raise invalid("data.choices", "BASE_TYPE_MAX_LENGTH", f"Must be {_MOST_CHOICES} or fewer in length.")
    for number, choice in enumerate(choices):
        for name in ("name", "value"):
            if not 1 <= len(str(choice.get(name, ""))) <= 100:
                raise invalid(f"data.choices.{number}.{name}", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100.")


def _waiting(asked: Asked) -> Interaction:
    return asked.interactions.to_answer(asked.where["interaction"], asked.where["token"])


def _by_token(asked: Asked) -> Interaction:
    """Raises Refused."""
    if asked.where["application"] != asked.world.app_id:
        raise Refused(404, 10015)
    return asked.interactions.answered_one(asked.where["token"])


def _response(asked: Asked) -> tuple[Interaction, Message]:
    """The original, or what followed. Raises Refused."""
    interaction, wanted = _by_token(asked), asked.where["message"]
    message_id = interaction.original_id if wanted == _ORIGINAL else wanted
    message = interaction.channel.messages.get(message_id)
    if message is None or message.deleted_at is not None:
        raise unknown_message()
    if message_id not in {interaction.original_id, *interaction.follow_up_ids}:
        raise unknown_message()
    return interaction, message


def _told(world: World, interaction: Interaction, message: Message) -> JsonObject:
    return message_json(world, interaction.channel, message, sees_content=True)


def _told_back(world: World, interaction: Interaction, kind: int) -> JsonObject:
    about: JsonObject = {"id": interaction.id, "type": int(interaction.kind)}
    resource: JsonObject = {"type": kind}
    message = interaction.channel.messages.get(interaction.original_id)
    if message is not None:
        about |= {"response_message_id": message.id, "response_message_ephemeral": bool(message.only_for)}
        about |= {"response_message_loading": bool(message.now.flags & kinds.LOADING)}
        if kind in {_SAY, _UPDATE}:
            resource["message"] = _told(world, interaction, message)
    return {"interaction": about, "resource": resource}
