"""Who of the app's installations is told of what happens in a channel."""

import re

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.channels import MESSAGE_EVENTS, Channel
from bots.sandbox.local_slack.messages import Message
from bots.sandbox.local_slack.wire import mention_event, message_event, message_json
from bots.sandbox.local_slack.world import World

_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^>]*)?>")


def mentioned(text: str) -> set[str]:
    return set(_MENTION.findall(text))


def tell_message(world: World, channel: Channel, message: Message) -> None:
    """A new one, and that the bot is mentioned in it."""
    event = message_event(channel, message)
    called = mentioned(message.now.text)
    for install in world.installs_in(channel):
        _tell(world, install, channel, MESSAGE_EVENTS[channel.kind], event)
        if install.bot.id in called and install.bot.id != message.user and channel.kind != "im":
            _tell(world, install, channel, "app_mention", mention_event(channel, message))


def tell_change(world: World, channel: Channel, message: Message, before: JsonObject) -> None:
    """`before`: as it was, in the shape of the wire."""
    _tell_hidden(
        world, channel, "message_changed", {"message": message_json(channel, message), "previous_message": before}
    )


def tell_deletion(world: World, channel: Channel, message: Message) -> None:
    """What has replies leaves a tombstone. To be called before it is gone."""
    before = message_json(channel, message)
    replies = [one for one in channel.replies(message.ts) if one.ts != message.ts]
    if not replies:
        _tell_hidden(world, channel, "message_deleted", {"previous_message": before, "deleted_ts": message.ts})
        return
    _tell_hidden(world, channel, "message_changed", {"message": tombstone(before), "previous_message": before})


def tombstone(told: JsonObject) -> JsonObject:
    """What is left of a deleted root."""
    kept = {
        name: told[name] for name in ("ts", "thread_ts", "reply_count", "reply_users", "latest_reply") if name in told
    }
    gone: JsonObject = {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "hidden": True}
    return gone | {"text": "This message was deleted."} | kept


def tell_all(world: World, channel: Channel, event: JsonObject) -> None:
    """Something that happened there, to each installation that is a member."""
    for install in world.installs_in(channel):
        tell_install(world, install, channel, event)


def tell_install(world: World, install: Install, channel: Channel | None, event: JsonObject) -> None:
    told = {"event_ts": world.clock.next_ts()} | event
    _tell(world, install, channel, str(event["type"]), told)


def _tell_hidden(world: World, channel: Channel, subtype: str, more: JsonObject) -> None:
    ts = world.clock.next_ts()
    event: JsonObject = {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "channel": channel.id,
        "channel_type": channel.kind.value,
        "ts": ts,
        "event_ts": ts,
    }
    for install in world.installs_in(channel):
        _tell(world, install, channel, MESSAGE_EVENTS[channel.kind], event | more)


def _tell(world: World, install: Install, channel: Channel | None, name: str, event: JsonObject) -> None:
    if name in world.options.app.events:
        world.tell(install, channel, event)
