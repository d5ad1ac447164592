"""conversations.*"""

import base64
import re
from collections.abc import Sequence

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.access import check_history, check_read, check_scope, open_direct, visible_channel
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.channels import Channel
from bots.sandbox.local_slack.messages import Message
from bots.sandbox.local_slack.parameters import Parameters
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.telling import tombstone
from bots.sandbox.local_slack.wire import message_json
from bots.sandbox.local_slack.world import World

_MOST = 1000
_DEFAULT = 100
_MOST_PEOPLE = 8
_TS = re.compile(r"\d{1,12}(\.\d{1,6})?")


async def info(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel = visible_channel(world, caller, given.required("channel"))
    check_read(caller, channel)
    return {"channel": channel.to_json(caller.bot.id)}


async def members(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel = visible_channel(world, caller, given.required("channel"))
    check_read(caller, channel)
    return {"members": list(channel.members), "response_metadata": {"next_cursor": ""}}


async def open_conversation(world: World, caller: Install, given: Parameters) -> JsonObject:
    if channel_id := given.text("channel"):
        channel = visible_channel(world, caller, channel_id)
    else:
        if not (ids := given.texts("users")):
            raise Refused("users_list_not_supplied")
        if len(ids) > _MOST_PEOPLE:
            raise Refused("too_many_users")
        check_scope(caller, "im:write" if len(ids) == 1 else "mpim:write", "im:write")
        channel = open_direct(world, caller, [world.user(user_id) for user_id in ids])
    return {"channel": channel.to_json(caller.bot.id) if given.flag("return_im") else {"id": channel.id}}


async def history(world: World, caller: Install, given: Parameters) -> JsonObject:
    """Newest first, roots only."""
    channel = visible_channel(world, caller, given.required("channel"))
    check_history(caller, channel)
    roots = [
        one for one in channel.messages.values() if not one.thread_ts and not one.only_for and _is_left(channel, one)
    ]
    found = [one for one in reversed(roots) if _is_asked(one, given)]
    return _page(world, channel, found, given)


async def replies(world: World, caller: Install, given: Parameters) -> JsonObject:
    """Oldest first; the root is the first of every page."""
    channel = visible_channel(world, caller, given.required("channel"))
    check_history(caller, channel)
    asked = channel.messages.get(given.required("ts"))
    if asked is None or asked.only_for or not _is_left(channel, asked):
        raise Refused("thread_not_found")
    if asked.thread_ts:
        return _page(world, channel, [asked], given)
    rest = [one for one in channel.replies(asked.ts) if one.ts != asked.ts and _is_asked(one, given)]
    return _page(world, channel, rest, given, asked)


def _page(
    world: World, channel: Channel, found: Sequence[Message], given: Parameters, root: Message | None = None
) -> JsonObject:
    """Raises Refused."""
    begin = _position(given.text("cursor"))
    limit = min(max(given.integer("limit", _DEFAULT if root is None else _MOST), 1), _MOST)
    end = begin + limit
    for message in found:
        world.age(message)
    shown = ([root] if root else []) + list(found[begin:end])
    with_metadata = given.flag("include_all_metadata")
    has_more = len(found) > end
    return {
        "messages": [_told(channel, message, with_metadata=with_metadata) for message in shown],
        "has_more": has_more,
        "response_metadata": {"next_cursor": _cursor(end) if has_more else ""},
    }


def _told(channel: Channel, message: Message, *, with_metadata: bool) -> JsonObject:
    told = message_json(channel, message, with_metadata=with_metadata)
    return tombstone(told) if message.deleted_at is not None else told


def _is_left(channel: Channel, message: Message) -> bool:
    """A deleted root stays as long as it has replies."""
    return message.deleted_at is None or bool(channel.replies(message.ts))


def _is_asked(message: Message, given: Parameters) -> bool:
    oldest, latest = given.text("oldest"), given.text("latest")
    if oldest and not _TS.fullmatch(oldest):
        raise Refused("invalid_ts_oldest")
    if latest and not _TS.fullmatch(latest):
        raise Refused("invalid_ts_latest")
    at = float(message.ts)
    if given.flag("inclusive") and message.ts in {oldest, latest}:
        return True
    return (not oldest or at > float(oldest)) and (not latest or at < float(latest))


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"next:{position}".encode()).decode()


def _position(cursor: str) -> int:
    """Raises Refused."""
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("next:"))
    except ValueError:
        raise Refused("invalid_cursor") from None
