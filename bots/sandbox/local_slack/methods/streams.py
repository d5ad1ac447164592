"""chat.startStream, chat.appendStream, chat.stopStream.

A stream takes text until it is stopped, by the app or by a person, or until it is too old, whichever comes first.
"""

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.access import own_message, thread_root, writable_channel
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.blocks import check_message_blocks
from bots.sandbox.local_slack.channels import Channel, Kind
from bots.sandbox.local_slack.messages import Message, Stream, StreamState, Version
from bots.sandbox.local_slack.methods.agents import move_session
from bots.sandbox.local_slack.methods.chat import checked_metadata, new_message
from bots.sandbox.local_slack.parameters import Parameters
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.telling import tell_change, tell_message
from bots.sandbox.local_slack.wire import message_json
from bots.sandbox.local_slack.world import World

_TASK_STATES = {"pending", "in_progress", "complete", "error"}
_DISPLAYS = {"", "timeline", "plan", "dense"}


async def start_stream(world: World, caller: Install, given: Parameters) -> JsonObject:
    if not caller.has_streams:
        raise Refused("feature_not_enabled")
    channel = writable_channel(world, caller, given.required("channel"))
    thread_ts = thread_root(channel, given.text("thread_ts"), "invalid_thread_ts")
    if not thread_ts and channel.kind is Kind.IM:
        raise Refused("invalid_thread_ts")
    if given.text("task_display_mode") not in _DISPLAYS:
        raise Refused("invalid_arguments")
    stream = _stream(world, channel, given)
    version = _appended(world, world.version("", is_markdown=True), given)
    message = new_message(world, caller, version)
    message.thread_ts, message.stream = thread_ts, stream
    world.write(channel, message)
    tell_message(world, channel, message)
    return {"channel": channel.id, "ts": message.ts}


async def append_stream(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel, message, stream = _running(world, caller, given)
    if not given.text("markdown_text") and not given.has("chunks"):
        raise Refused("no_text")
    version = _appended(world, message.now, given)
    stream.appends += 1
    world.rewrite(channel, message, version)
    return {"channel": channel.id, "ts": message.ts}


async def stop_stream(world: World, caller: Install, given: Parameters) -> JsonObject:
    """What a person stopped can be closed so; it takes no more text."""
    channel = writable_channel(world, caller, given.required("channel"))
    message = own_message(world, caller, channel, given.required("ts"), "message_not_owned_by_app")
    stream = message.stream
    if stream is None or stream.state in {StreamState.COMPLETED, StreamState.EXPIRED}:
        raise Refused("message_not_in_streaming_state")
    if stream.state is StreamState.STOPPED and (given.text("markdown_text") or given.has("chunks")):
        raise Refused("stopped_by_user")
    blocks = given.items("blocks", "invalid_blocks_format")
    check_message_blocks(blocks, world.options.limits.blocks)
    metadata = checked_metadata(world, given)
    before = message_json(channel, message)
    written = _appended(world, message.now, given)
    if given.has("session_status"):
        move_session(channel, message.root_ts, given.text("session_status"))
    stream.state, message.metadata = StreamState.COMPLETED, metadata
    version = Version(written.at, written.text, [*written.blocks, *blocks], is_markdown=True, tasks=written.tasks)
    world.rewrite(channel, message, version)
    tell_change(world, channel, message, before)
    return {"channel": channel.id, "ts": message.ts, "message": message_json(channel, message)}


def _stream(world: World, channel: Channel, given: Parameters) -> Stream:
    """Raises Refused."""
    user_id, team_id = given.text("recipient_user_id"), given.text("recipient_team_id")
    if channel.kind is not Kind.IM and not user_id:
        raise Refused("missing_recipient_user_id")
    if channel.kind is not Kind.IM and not team_id:
        raise Refused("missing_recipient_team_id")
    if user_id and world.user(user_id).team_id != team_id and team_id:
        raise Refused("team_not_found")
    return Stream(world.clock.now(), recipient_user_id=user_id, recipient_team_id=team_id)


def _running(world: World, caller: Install, given: Parameters) -> tuple[Channel, Message, Stream]:
    """Raises Refused."""
    channel = writable_channel(world, caller, given.required("channel"))
    message = own_message(world, caller, channel, given.required("ts"), "message_not_owned_by_app")
    stream = message.stream
    if stream is not None and stream.state is StreamState.STOPPED:
        raise Refused("stopped_by_user")
    if stream is None or stream.state is not StreamState.STREAMING:
        raise Refused("message_not_in_streaming_state")
    return channel, message, stream


def _appended(world: World, before: Version, given: Parameters) -> Version:
    """With what is said besides. Raises Refused."""
    text, tasks, blocks = given.text("markdown_text"), dict(before.tasks), list(before.blocks)
    for chunk in given.items("chunks", "invalid_chunks"):
        match chunk:
            case {"type": "markdown_text", "text": str(more)}:
                text += more
            case {"type": "task_update", "id": str(task_id), "title": str(), "status": str(state)}:
                if state not in _TASK_STATES:
                    raise Refused("invalid_chunks")
                tasks[task_id] = chunk
            case {"type": "plan_update", "title": str()}:
                tasks["plan"] = chunk
            case {"type": "blocks", "blocks": list(more_blocks)}:
                blocks += more_blocks
            case _:
                raise Refused("invalid_chunks")
    limits = world.options.limits
    if len(text) > limits.markdown_chars or len(before.text) + len(text) > limits.stream_chars:
        world.excesses["text"] += 1
        raise Refused("msg_too_long")
    check_message_blocks(blocks, limits.blocks)
    at = world.version("").at
    return Version(at, before.text + text, blocks, is_markdown=True, tasks=tasks)
