"""Interactions as Discord sends them, written after its public description, and the program's own seals."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.discord.choices import Chosen
from adapters.discord.interaction import Interaction, read_interaction
from adapters.discord.interactions import Seen, to_inbound
from adapters.opinion_values import OpinionValues
from adapters.seals import Seals
from core.dialogue import Feedback, Inbound, InboundMessage, Opinion, Person, Platform, SessionKey

BOT, SERVER, CHANNEL, THREAD, DIRECT = "1001", "2001", "3001", "3002", "3003"
ANNA, OMAR = "4001", "4002"
#: Of 2026-11-20 09:30 UTC.
INTERACTION = "1573269169766400000"
MESSAGE = "1573269148794880000"
TOKEN = "an-interactions-token"
SEALS = Seals(b"the database's own")
OPINIONS = OpinionValues(b"the database's other own")
PERSON = Person(Platform.DISCORD, "", ANNA, "Anna")
SEEN = Seen(OPINIONS, SEALS)
CAT = Chosen("cat", "small")
Body = dict[str, Any]


class PaperChoices:
    """What is chosen is what it was made with."""

    personas: Sequence[str] = ("cat", "dog", "owl")
    models: Sequence[str] = ("big", "small")
    languages: Mapping[str, str] = {"en": "English", "es": "español"}

    def __init__(self, chosen: Chosen = CAT, shut_out: str = "") -> None:
        """`shut_out` is the id of a person."""
        self._chosen = chosen
        self._shut_out = shut_out
        #: What was asked for.
        self.asked: list[SessionKey] = []

    def admits(self, message: InboundMessage) -> bool:
        return message.person.platform_id != self._shut_out

    async def at(self, message: InboundMessage) -> Chosen:
        self.asked.append(message.session_key)
        return self._chosen


def key(thread: str = "", person: str = "", channel: str = CHANNEL, server: str = SERVER) -> SessionKey:
    return SessionKey(Platform.DISCORD, BOT, server, channel, thread, person)


def read(body: Mapping[str, object], *, is_member: bool = True) -> Interaction:
    return read_interaction(body, BOT, lambda _server: is_member)


def understood(body: Mapping[str, object], seen: Seen = SEEN) -> list[Inbound]:
    return to_inbound(read(body), seen)


def messages_of(body: Mapping[str, object], seen: Seen = SEEN) -> list[InboundMessage]:
    return [one for one in understood(body, seen) if isinstance(one, InboundMessage)]


def message_of(body: Mapping[str, object], seen: Seen = SEEN) -> InboundMessage:
    [said] = messages_of(body, seen)
    return said


def said_in(body: Mapping[str, object], seen: Seen = SEEN) -> list[tuple[str, str]]:
    """Each message's id and its text."""
    return [(one.message_id, one.text) for one in messages_of(body, seen)]


def feedback_of(body: Mapping[str, object]) -> Feedback:
    [inbound] = understood(body)
    assert isinstance(inbound, Feedback)
    return inbound


def command(named: str, /, *, by: str = ANNA, **options: object) -> Body:
    told = [{"type": 3, "name": option, "value": value} for option, value in options.items()]
    data = {"id": "5001", "name": named, "type": 1, "options": told}
    return in_server(2, data, person=by)


def typing(name: str, option: str, value: str) -> Body:
    told = [{"type": 3, "name": option, "value": value, "focused": True}]
    return in_server(4, {"id": "5001", "name": name, "type": 1, "options": told})


def about(content: str, **more: object) -> Body:
    shown = {"id": MESSAGE, "content": content, "author": user(OMAR, "omar"), "mentions": [], "attachments": []} | more
    data = {"id": "5002", "name": "Ask about this", "type": 3, "target_id": MESSAGE}
    return in_server(2, data | {"resolved": {"messages": {MESSAGE: shown}}})


def press(opinion: Opinion, *, channel: str = CHANNEL, made_for: str = "") -> Body:
    value = OPINIONS.value(opinion, "cafe.0", made_for or channel)
    body = in_server(3, {"custom_id": value, "component_type": 2})
    return body | {"message": {"id": MESSAGE, "content": "a reply", "author": user(BOT, "banter")}}


def submitted(custom_id: str, fields: Mapping[str, str | Sequence[str]], *, person: str = ANNA) -> Body:
    """Texts are typed, lists are chosen."""
    rows = [
        {"type": 18, "id": number, "component": {"type": 4, "custom_id": name, "value": value}}
        if isinstance(value, str)
        else {"type": 18, "id": number, "component": {"type": 3, "custom_id": name, "values": [*value]}}
        for number, (name, value) in enumerate(fields.items(), start=2)
    ]
    words = [{"type": 10, "id": 1}]
    return in_server(5, {"custom_id": custom_id, "components": [*words, *rows]}, person=person)


def in_server(kind: int, data: Mapping[str, object], *, person: str = ANNA) -> Body:
    member = {"user": user(person, "anna.berg"), "nick": "Anna", "roles": ["6001", "6002"], "permissions": "0"}
    return {
        "version": 1,
        "type": kind,
        "id": INTERACTION,
        "application_id": BOT,
        "token": TOKEN,
        "guild_id": SERVER,
        "channel_id": CHANNEL,
        "channel": {"id": CHANNEL, "type": 0, "name": "general", "guild_id": SERVER},
        "member": member,
        "locale": "en-GB",
        "guild_locale": "en-US",
        "context": 0,
        "authorizing_integration_owners": {"0": SERVER},
        "entitlements": [],
        "app_permissions": "0",
        "attachment_size_limit": 10485760,
        "data": dict(data),
    }


def in_thread(body: Body) -> Body:
    channel = {"id": THREAD, "type": 11, "parent_id": CHANNEL, "name": "rain", "guild_id": SERVER}
    return body | {"channel_id": THREAD, "channel": channel}


def in_direct_messages(body: Body) -> Body:
    """With the bot."""
    return _unsurrounded(body) | {"context": 1, "authorizing_integration_owners": {"0": "0", "1": ANNA}}


def in_group(body: Body) -> Body:
    """Of other people."""
    channel = {"id": DIRECT, "type": 3, "name": "friends"}
    return _unsurrounded(body) | {
        "context": 2,
        "channel": channel,
        "authorizing_integration_owners": {"1": ANNA},
    }


def in_foreign_server(body: Body) -> Body:
    """That did not install the app."""
    return body | {"authorizing_integration_owners": {"1": ANNA}}


def user(user_id: str, name: str) -> Body:
    return {"id": user_id, "username": name, "global_name": None, "discriminator": "0", "avatar": None}


def _unsurrounded(body: Body) -> Body:
    left = {name: value for name, value in body.items() if name not in ("guild_id", "member", "guild_locale")}
    channel = {"id": DIRECT, "type": 1}
    return left | {"user": body["member"]["user"], "channel_id": DIRECT, "channel": channel}
