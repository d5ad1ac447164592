"""Bodies as Slack's Events API sends them, written after its public description."""

import json
from typing import Any

from adapters.slack.inbound import to_inbound
from adapters.slack.workspaces import Workspace
from core.dialogue import Called, Inbound, InboundMessage, Person, Platform, SessionKey

APP, TEAM, ORGANISATION, OTHER_TEAM = "A0BANTER01", "T0HOME0001", "E0ORG00001", "T0OTHER001"
BOT_USER, BOT = "U0BANTER01", "B0BANTER01"
ANNA, OMAR, STRANGER = "U0ANNA0001", "U0OMAR0001", "U0STRANGE1"
CHANNEL, DM, SHARED = "C0KITCHEN1", "D0ANNA0001", "C0SHARED01"
NAMES = {ANNA: "Anna Berg", OMAR: "Omar"}
WORKSPACE = Workspace(TEAM, BOT_USER, BOT, "xoxb-of-home", "Home")
ROOT, LATER, LATEST = "1795000000.000100", "1795000060.000200", "1795000120.000300"
DIRECTLY = Called(directly=True)

Body = dict[str, Any]


def body_of(event: Body, **around: object) -> Body:
    return {
        "token": "a-verification-token",
        "team_id": TEAM,
        "api_app_id": APP,
        "event": {"event_ts": event.get("ts", LATEST), **event},
        "type": "event_callback",
        "event_id": "Ev0000000001",
        "event_time": 1795000000,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        **around,
    }


def said(text: str, ts: str = ROOT, **more: object) -> Body:
    """A message in a channel."""
    event = {"type": "message", "channel": CHANNEL, "channel_type": "channel", "user": ANNA, "text": text, "ts": ts}
    return body_of({**event, **more})


def said_alone(text: str, ts: str = ROOT, **more: object) -> Body:
    """A message to the bot itself."""
    return said(text, ts, **{"channel": DM, "channel_type": "im", **more})


def mentioned(text: str, ts: str = ROOT, **more: object) -> Body:
    """The twin of a message that calls the bot."""
    event = {"type": "app_mention", "channel": CHANNEL, "user": ANNA, "text": text, "ts": ts}
    return body_of({**event, **more})


def shared(body: Body, user_team: str = OTHER_TEAM) -> Body:
    """The same in a channel of two companies."""
    event = {**body["event"], "channel": SHARED, "user_team": user_team, "source_team": user_team}
    return {**body, "event": event, "is_ext_shared_channel": True, "context_team_id": OTHER_TEAM}


def edited(old: str, new: str, **more: object) -> Body:
    message = {"type": "message", "user": ANNA, "text": new, "ts": ROOT, "edited": {"user": ANNA, "ts": LATER}, **more}
    before = {"type": "message", "user": ANNA, "text": old, "ts": ROOT}
    return _hidden("message_changed", message=message, previous_message=before)


def deleted(**before: object) -> Body:
    gone = {"type": "message", "user": ANNA, "text": "What is rain?", "ts": ROOT, **before}
    return _hidden("message_deleted", deleted_ts=ROOT, previous_message=gone)


def _hidden(subtype: str, **more: object) -> Body:
    event = {"type": "message", "subtype": subtype, "hidden": True, "channel": CHANNEL, "channel_type": "channel"}
    return body_of({**event, "ts": LATER, **more})


def reacted(reaction: str, kind: str = "reaction_added", **more: object) -> Body:
    item = {"type": "message", "channel": CHANNEL, "ts": LATER}
    event = {"type": kind, "user": ANNA, "reaction": reaction, "item_user": BOT_USER, "item": item}
    return body_of({**event, **more})


def stopped(*streams: str) -> Body:
    event = {"type": "agent_session_stopped", "channel": CHANNEL, "thread_ts": ROOT, "user": ANNA}
    return body_of({**event, "streaming_message_ts": list(streams)})


def moved() -> Body:
    return body_of({"type": "channel_id_changed", "old_channel_id": CHANNEL, "new_channel_id": SHARED})


def text_file(**more: object) -> Body:
    return {"id": "F0NOTES001", "name": "notes.txt", "mimetype": "text/plain", "size": 120, "mode": "hosted", **more}


def all_bodies() -> list[Body]:
    """One of each kind."""
    ours = f"<@{BOT_USER}>"
    return [
        said("what do you think, <@U0OMAR0001|omar>?"),
        said(f"{ours} what is rain?", thread_ts=ROOT, ts=LATER, blocks=[{"type": "rich_text", "elements": []}]),
        said_alone("What is rain &amp; snow? <https://example.org|Look>"),
        said_alone("look", subtype="file_share", files=[text_file()]),
        said("moved here", attachments=[{"is_share": True, "author_id": OMAR, "text": "see you at eight"}]),
        mentioned(f"{ours} what is rain?"),
        shared(mentioned(f"{ours} what is rain?")),
        shared(said("among ourselves")),
        edited("What is rain?", "What is snow?"),
        deleted(),
        _hidden("message_changed", message={"type": "message", "subtype": "tombstone", "user": ANNA, "ts": ROOT}),
        said("I am a robot", subtype="bot_message", bot_id="B0OTHER001", username="other"),
        reacted("+1"),
        reacted("-1", "reaction_removed"),
        stopped(LATER),
        moved(),
        body_of({"type": "app_home_opened", "user": ANNA, "channel": DM, "tab": "messages"}),
        body_of({"type": "member_joined_channel", "user": ANNA, "channel": CHANNEL}),
    ]


def understood(body: Body, workspace: Workspace = WORKSPACE) -> list[Inbound]:
    return to_inbound(json.loads(json.dumps(body)), workspace, NAMES)


def message_of(body: Body) -> InboundMessage:
    [inbound] = understood(body)
    assert isinstance(inbound, InboundMessage)
    return inbound


def key(channel: str, thread: str = "") -> SessionKey:
    return SessionKey(Platform.SLACK, APP, TEAM, channel, thread)


def person(user: str, workspace: str = TEAM) -> Person:
    return Person(Platform.SLACK, workspace, user, NAMES.get(user, user))
