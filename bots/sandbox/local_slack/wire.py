"""Messages and events in the shape in which Slack tells them."""

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.channels import Channel, Kind
from bots.sandbox.local_slack.messages import Message, StreamState
from bots.sandbox.local_slack.world import World


def message_json(channel: Channel, message: Message, *, with_metadata: bool = True) -> JsonObject:
    """As answers and histories carry it."""
    told: JsonObject = {
        "type": "message",
        "user": message.user,
        "ts": message.ts,
        "text": message.now.text,
        "team": message.team,
    }
    optional: JsonObject = {
        "subtype": message.subtype,
        "client_msg_id": message.client_msg_id,
        "bot_id": message.bot_id,
        "app_id": message.app_id,
        "blocks": message.now.blocks or ([] if message.bot_id else [rich_text(message.now.text)]),
        "files": message.files,
        "metadata": message.metadata if with_metadata else None,
        "edited": {"user": message.user, "ts": message.edited_ts} if message.edited_ts else None,
        "reactions": [
            {"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items() if users
        ],
    }
    told |= {name: value for name, value in optional.items() if value}
    return told | _thread_json(channel, message) | _stream_json(message)


def rich_text(text: str) -> JsonObject:
    """As a person's client makes it; its elements are not taken apart."""
    section: JsonObject = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "block_id": "local", "elements": [section]}


def event_body(world: World, install: Install, channel: Channel | None, event: JsonObject) -> JsonObject:
    """The outer body of an event, as one installation gets it."""
    host = channel.team_id if channel else install.team_ids[0] if install.team_ids else install.id
    team_id = host if install.is_enterprise else install.id
    body: JsonObject = {
        "token": "local-verification-token",
        "team_id": team_id,
        "context_team_id": host,
        "context_enterprise_id": install.enterprise_id or None,
        "api_app_id": world.options.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": world.ids.next("Ev"),
        "event_time": int(world.clock.now()),
        "authorizations": [install.authorization()],
        "is_ext_shared_channel": channel.is_ext_shared if channel else False,
        "event_context": f"4-{world.ids.next('')}",
    }
    return body | ({"enterprise_id": install.enterprise_id} if install.enterprise_id else {})


def message_event(channel: Channel, message: Message) -> JsonObject:
    """Of a new message."""
    told = message_json(channel, message)
    told.pop("reactions", None)
    event = told | {"channel": channel.id, "event_ts": message.ts, "channel_type": channel.kind.value}
    return event | _connect_json(channel, message)


def mention_event(channel: Channel, message: Message) -> JsonObject:
    told = message_event(channel, message) | {"type": "app_mention"}
    told.pop("channel_type")
    return told


def _thread_json(channel: Channel, message: Message) -> JsonObject:
    if message.thread_ts:
        root = channel.messages.get(message.thread_ts)
        return {"thread_ts": message.thread_ts, "parent_user_id": root.user if root else "USLACKBOT"}
    replies = [one for one in channel.replies(message.ts) if one.ts != message.ts]
    if not replies:
        return {}
    users = list(dict.fromkeys(one.user for one in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(users),
        "reply_users": users,
        "latest_reply": replies[-1].ts,
    }


def _stream_json(message: Message) -> JsonObject:
    if message.stream is None:
        return {}
    return {"streaming_state": "in_progress" if message.stream.state is StreamState.STREAMING else "completed"}


def _connect_json(channel: Channel, message: Message) -> JsonObject:
    if not channel.is_ext_shared or channel.kind is Kind.IM:
        return {}
    return {"user_team": message.team, "source_team": message.team}
