"""What Discord's gateway tells, spoilt: events whose data is not as it should be, and frames that are none."""

import copy
import json
import random
from collections.abc import Sequence
from typing import Any

from tests.fuzz.telegram_mutating import Json, Mutator
from tests.unit.discord import happenings as told

#: Of a hundred: frames that are spoilt from outside their data, and such as are no JSON.
_SPOILT_WHOLE, _BROKEN = 4, 1
_AT = "2026-11-22T05:52:00.123456+00:00"
#: Each is too much, too little or something else for somebody, and looks like Discord's.
_HOSTILE: tuple[Json, ...] = (
    told.BOT,
    told.GUILD,
    told.CHANNEL,
    told.THREAD,
    told.FIRST,
    "9" * 19,
    "9" * 5000,
    "0000",
    "-1",
    "１２３",
    1,
    19,
    15,
    _AT,
    "<@",
    f"<@{told.BOT}>" * 300,
    "<t:99999999999999999>",
    "<:" * 3000,
    [told.BOT],
    [{"id": told.BOT}],
    {"id": told.BOT, "bot": {}},
    {"name": "👍"},
    {"type": 1, "message_id": []},
    [{"message": {"content": 7}}],
)


class DiscordMutator(Mutator):
    def __init__(self, values: Sequence[Json], chance: random.Random) -> None:
        super().__init__([json.dumps(one) for one in recorded_frames()], [*values, *_HOSTILE * 4], chance)

    def frame(self, number: int) -> str:
        frame: dict[str, Any] = copy.deepcopy(self._chance.choice(self._recorded))
        if self._chance.randrange(100) < _SPOILT_WHOLE:
            self._spoil(frame)
            text = json.dumps(frame)
            return self._broken_text(text) if self._chance.randrange(100) < 100 * _BROKEN // _SPOILT_WHOLE else text
        for _ in range(self._chance.randint(1, 4)):
            if frame["d"]:
                self._spoil(frame["d"])
        return json.dumps({**frame, "s": number})

    def _broken_text(self, text: str) -> str:
        match self._chance.randrange(4):
            case 0:
                return text[: self._chance.randrange(1, len(text))]
            case 1:
                return "[" * 100_000
            case 2:
                return "".join(chr(self._chance.randrange(32, 256)) for _ in range(200))
            case _:
                return f'{{"op": {"9" * 9000}}}'


def frame_of(kind: str, data: object, number: int = 1) -> dict[str, Any]:
    return {"op": 0, "t": kind, "s": number, "d": data}


def sound_frame(text: str, number: int) -> str:
    """Of a message that must not get lost."""
    ident = str(int(told.SECOND) + (number << 22))
    return json.dumps(frame_of("MESSAGE_CREATE", told.said_alone(text, ident), number))


def beginning(url: str) -> list[str]:
    """Of each session."""
    ready = {
        "v": 10,
        "user": told.mentioned_bot(),
        "guilds": [{"id": told.GUILD, "unavailable": True}],
        "session_id": "a-session",
        "resume_gateway_url": f"{url.replace('http', 'ws', 1)}/gateway",
        "application": {"id": told.BOT, "flags": 0},
    }
    return [json.dumps(frame_of("READY", ready)), json.dumps(frame_of("GUILD_CREATE", guild()))]


def guild() -> dict[str, Any]:
    channel = {"id": told.CHANNEL, "type": 0, "name": "general", "permission_overwrites": [], "last_message_id": None}
    forum = {"id": told.FORUM_CHANNEL, "type": 15, "name": "help", "available_tags": [{"id": "5", "name": "bug"}]}
    return {
        "id": told.GUILD,
        "name": "Friends",
        "unavailable": False,
        "roles": [
            {"id": told.GUILD, "name": "@everyone", "permissions": "2251804225"},
            {"id": told.BOT_ROLE, "name": "Banter", "permissions": "0", "tags": {"bot_id": told.BOT}},
        ],
        "members": [{"user": told.mentioned_bot(), "roles": [told.BOT_ROLE], "nick": None}],
        "channels": [channel, forum],
        "threads": [thread(told.THREAD, told.CHANNEL), thread(told.POST, told.FORUM_CHANNEL)],
    }


def thread(ident: str, parent: str) -> dict[str, Any]:
    shown = {"id": ident, "type": 11, "guild_id": told.GUILD, "parent_id": parent, "name": "rain"}
    return shown | {"applied_tags": ["5"], "last_message_id": told.SECOND, "thread_metadata": {"archived": False}}


def interaction(kind: int, data: dict[str, Any], **more: object) -> dict[str, Any]:
    return {
        "id": told.SECOND,
        "application_id": told.BOT,
        "type": kind,
        "token": "an-interactions-token",
        "guild_id": told.GUILD,
        "channel": {"id": told.CHANNEL, "type": 0},
        "channel_id": told.CHANNEL,
        "member": {"user": told.user(), "roles": [told.ROLE], "nick": "Annie"},
        "locale": "en-US",
        "context": 0,
        "authorizing_integration_owners": {"0": told.GUILD},
        "data": data,
        "version": 1,
        **more,
    }


def recorded_frames() -> list[dict[str, Any]]:
    ids = {"channel_id": told.CHANNEL, "guild_id": told.GUILD}
    asked = {"id": told.FIRST, "name": "ask", "type": 1, "options": [{"name": "question", "type": 3, "value": "why?"}]}
    pressed = {"component_type": 2, "custom_id": "s.token.0.signature"}
    events: list[tuple[str, Any]] = [
        ("MESSAGE_CREATE", told.said("good morning")),
        ("MESSAGE_CREATE", told.calling("what is rain?")),
        ("MESSAGE_CREATE", told.calling("why?", channel_id=told.POST)),
        ("MESSAGE_CREATE", told.replying("why?", told.own())),
        ("MESSAGE_CREATE", told.said_alone("hello", attachments=[{"id": told.SECOND, "filename": "a", "size": 1}])),
        ("MESSAGE_UPDATE", told.calling("what is snow?", edited_timestamp=_AT)),
        ("MESSAGE_DELETE", {"id": told.FIRST, **ids}),
        ("MESSAGE_DELETE_BULK", {"ids": [told.FIRST, told.SECOND], **ids}),
        ("MESSAGE_REACTION_ADD", told.reacted()),
        ("MESSAGE_REACTION_REMOVE", told.reacted("👎")),
        ("INTERACTION_CREATE", interaction(2, asked)),
        ("INTERACTION_CREATE", interaction(3, pressed, message=told.own())),
        ("INTERACTION_CREATE", interaction(4, asked)),
        ("INTERACTION_CREATE", interaction(5, {"custom_id": "settings", "components": []})),
        ("GUILD_CREATE", guild()),
        ("GUILD_DELETE", {"id": told.SECOND, "unavailable": True}),
        ("CHANNEL_CREATE", {"id": told.SECOND, "type": 0, "guild_id": told.GUILD, "name": "new"}),
        ("CHANNEL_DELETE", {"id": told.SECOND, "type": 0, "guild_id": told.GUILD}),
        ("THREAD_CREATE", thread(told.SECOND, told.CHANNEL) | {"newly_created": True}),
        ("THREAD_LIST_SYNC", {"guild_id": told.GUILD, "threads": [thread(told.THREAD, told.CHANNEL)]}),
        ("GUILD_ROLE_UPDATE", {"guild_id": told.GUILD, "role": {"id": told.ROLE, "name": "helpers"}}),
    ]
    return [frame_of(kind, data) for kind, data in events]
