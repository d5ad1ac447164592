"""chat.*: what is posted at once, changed and deleted."""

import time

from bots.sandbox.json_values import JsonObject, as_json
from bots.sandbox.local_slack.access import own_message, thread_root, visible_channel, writable_channel
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.blocks import check_message_blocks
from bots.sandbox.local_slack.channels import Channel
from bots.sandbox.local_slack.limits import Window
from bots.sandbox.local_slack.messages import Message, StreamState, Version
from bots.sandbox.local_slack.parameters import Parameters
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.telling import tell_change, tell_deletion, tell_message
from bots.sandbox.local_slack.wire import message_json
from bots.sandbox.local_slack.world import World


async def post_message(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel = writable_channel(world, caller, given.required("channel"))
    world.tallies.count(_windows(world, caller, channel), world.clock.now())
    version = content(world, given)
    message = new_message(world, caller, version)
    message.thread_ts = thread_root(channel, given.text("thread_ts"))
    message.metadata = checked_metadata(world, given)
    message.unfurls = given.flag("unfurl_links", default=True) or given.flag("unfurl_media", default=True)
    world.write(channel, message)
    tell_message(world, channel, message)
    return {"channel": channel.id, "ts": message.ts, "message": message_json(channel, message)}


async def post_ephemeral(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel = writable_channel(world, caller, given.required("channel"))
    user_id = given.required("user")
    if user_id not in channel.members:
        raise Refused("user_not_in_channel")
    message = new_message(world, caller, content(world, given))
    message.thread_ts = thread_root(channel, given.text("thread_ts"))
    message.only_for = user_id
    world.write(channel, message)
    return {"message_ts": message.ts}


async def update(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel = visible_channel(world, caller, given.required("channel"))
    message = own_message(world, caller, channel, given.required("ts"), "cant_update_message")
    if channel.is_archived:
        raise Refused("is_inactive")
    if message.stream is not None and message.stream.state is StreamState.STREAMING:
        raise Refused("streaming_state_conflict")
    if len(given.text("text")) > world.options.limits.update_chars:
        world.excesses["text"] += 1
        raise Refused("msg_too_long")
    before = message_json(channel, message)
    version = content(world, given)
    if not given.has("blocks") and not given.has("markdown_text"):
        version = Version(version.at, version.text, message.now.blocks if not given.has("text") else [])
    if given.has("metadata"):
        message.metadata = checked_metadata(world, given) if given.mapping("metadata") else None
    world.rewrite(channel, message, version)
    message.edited_ts = world.clock.next_ts()
    tell_change(world, channel, message, before)
    return {"channel": channel.id, "ts": message.ts, "text": version.text, "message": message_json(channel, message)}


async def delete(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel = visible_channel(world, caller, given.required("channel"))
    message = own_message(world, caller, channel, given.required("ts"), "cant_delete_message")
    tell_deletion(world, channel, message)
    message.deleted_at = time.monotonic()
    world.change(channel)
    return {"channel": channel.id, "ts": message.ts}


async def get_permalink(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel = visible_channel(world, caller, given.required("channel"))
    message = world.message(channel, given.required("message_ts"))
    return {
        "channel": channel.id,
        "permalink": f"https://local.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}",
    }


def content(world: World, given: Parameters) -> Version:
    """What a post or an update says. Raises Refused."""
    limits = world.options.limits
    text, markdown = given.text("text"), given.text("markdown_text")
    blocks = given.items("blocks", "invalid_blocks_format")
    if markdown and (text or blocks):
        raise Refused("markdown_text_conflict")
    if not (text.strip() or markdown.strip() or blocks or given.has("attachments")):
        raise Refused("no_text")
    if len(markdown) > limits.markdown_chars:
        world.excesses["text"] += 1
        raise Refused("msg_too_long")
    check_message_blocks(blocks, limits.blocks)
    if len(text) > limits.text_chars:
        world.excesses["cut"] += 1
    return world.version(markdown or text[: limits.text_chars], blocks, is_markdown=bool(markdown))


def new_message(world: World, caller: Install, version: Version) -> Message:
    """Of the app's; nobody sees it yet."""
    ts = world.clock.next_ts()
    message = Message(ts, caller.bot.id, caller.bot.team_id, [version], install=caller.id, bot_id=caller.bot.bot_id)
    message.app_id = world.options.app.id
    return message


def checked_metadata(world: World, given: Parameters) -> JsonObject | None:
    """Raises Refused."""
    metadata = given.mapping("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata.get("event_type"), str) or not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_format")
    if len(as_json(metadata)) > world.options.limits.metadata_bytes:
        raise Refused("metadata_too_large")
    return metadata


def _windows(world: World, caller: Install, channel: Channel) -> dict[tuple[str, ...], Window]:
    rates = world.options.rates
    if rates.is_unlimited:
        return {}
    return {("post", caller.id, channel.id): rates.post_in_channel, ("post", caller.id): rates.post_in_workspace}
