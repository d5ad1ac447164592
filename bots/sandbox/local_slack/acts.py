"""What people do: they write, change, delete, react."""

import time

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.access import thread_root
from bots.sandbox.local_slack.accounts import Install, User
from bots.sandbox.local_slack.channels import Channel, Kind
from bots.sandbox.local_slack.files import hidden_json
from bots.sandbox.local_slack.messages import Message, StreamState
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.telling import tell_change, tell_deletion, tell_install, tell_message
from bots.sandbox.local_slack.wire import message_json
from bots.sandbox.local_slack.world import World


def say(world: World, person: User, channel: Channel, text: str, thread_ts: str, files: list[JsonObject]) -> Message:
    """Files come with the text, or without one. Raises Refused."""
    if person.id not in channel.members:
        raise Refused("not_in_channel")
    if channel.is_archived:
        raise Refused("is_archived")
    message = Message(world.clock.next_ts(), person.id, person.team_id, [world.version(text)])
    message.thread_ts = thread_root(channel, thread_ts)
    message.files = [hidden_json(file) for file in files] if channel.is_ext_shared else files
    message.subtype = "file_share" if files else ""
    message.client_msg_id = world.ids.next("m")
    world.write(channel, message)
    tell_message(world, channel, message)
    return message


def edit(world: World, channel: Channel, ts: str, text: str) -> Message:
    """Raises Refused."""
    message = world.message(channel, ts)
    before = message_json(channel, message)
    world.rewrite(channel, message, world.version(text))
    message.edited_ts = world.clock.next_ts()
    tell_change(world, channel, message, before)
    return message


def unfurl(world: World, channel: Channel, ts: str) -> Message:
    """A change in which nothing of the text changes. Raises Refused."""
    message = world.message(channel, ts)
    tell_change(world, channel, message, message_json(channel, message))
    return message


def delete(world: World, channel: Channel, ts: str) -> Message:
    """Raises Refused."""
    message = world.message(channel, ts)
    tell_deletion(world, channel, message)
    message.deleted_at = time.monotonic()
    world.change(channel)
    return message


def stop(world: World, person: User, channel: Channel, root_ts: str) -> list[str]:
    """The native Stop of an agent's session; gives the streams that it stopped. Raises Refused."""
    session = channel.thread(root_ts).session
    if session is None or session.status != "processing":
        raise Refused("there is no Stop: no session is processing")
    if "agent_session_stopped" not in world.options.app.events:
        raise Refused("the Stop can't be pressed: the app does not listen to it")
    stopped = []
    for message in channel.replies(root_ts):
        world.age(message)
        if message.stream is not None and message.stream.state is StreamState.STREAMING:
            message.stream.state = StreamState.STOPPED
            stopped.append(message.ts)
    world.change(channel)
    event: JsonObject = {"type": "agent_session_stopped", "channel": channel.id, "thread_ts": root_ts}
    for install in world.installs_in(channel):
        tell_install(world, install, channel, event | {"user": person.id, "streaming_message_ts": stopped})
    return stopped


def rename_session(world: World, person: User, channel: Channel, root_ts: str, title: str) -> None:
    """Raises Refused."""
    session = channel.thread(root_ts).session
    if session is None:
        raise Refused("session_not_found")
    old, session.title = session.title, title
    world.change(channel)
    event: JsonObject = {"type": "agent_session_title_changed", "channel": channel.id, "thread_ts": root_ts}
    for install in world.installs_in(channel):
        tell_install(world, install, channel, event | {"user": person.id, "title": title, "previous_title": old})


def open_app(world: World, person: User, install: Install, channel: Channel, tab: str) -> None:
    """The app's own page: `home`, or `messages`, which in apps of before begins an assistant thread."""
    event: JsonObject = {"type": "app_home_opened", "user": person.id, "channel": channel.id, "tab": tab}
    tell_install(world, install, channel, event)
    if tab != "messages" or world.options.app.is_agent_view:
        return
    root = Message(world.clock.next_ts(), install.bot.id, install.bot.team_id, [world.version("New chat")])
    root.subtype = "assistant_app_thread"
    world.write(channel, root)
    thread: JsonObject = {"user_id": person.id, "channel_id": channel.id, "thread_ts": root.ts, "context": {}}
    tell_install(world, install, channel, {"type": "assistant_thread_started", "assistant_thread": thread})


def join(world: World, person: User, channel: Channel) -> None:
    """The bot can be whom it is about."""
    if person.id not in channel.members:
        channel.members.append(person.id)
    event: JsonObject = {"type": "member_joined_channel", "user": person.id, "channel": channel.id}
    event |= {"channel_type": "C" if channel.kind is Kind.PUBLIC else "G", "team": channel.team_id}
    world.change(channel)
    for install in world.installs_in(channel):
        tell_install(world, install, channel, event)
