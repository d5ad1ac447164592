"""Who is answered, where, and as whom. Decisions alone: nothing is read, sent or stored here."""

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.access import Access, Rank, Ranks
from core.dialogue import Edit, InboundMessage, Person, Platform, SessionKey
from core.generation.request import SamplingParams
from core.quiet_hours import NEVER_QUIET, QuietHours
from core.quotas import Quotas


class Attention(StrEnum):
    """What is done with a message when it comes in."""

    ANSWER = "answer"
    #: Answered where a dialogue is going on; elsewhere it is not for the bot.
    FOLLOW_UP = "follow up"
    #: Not for the bot, and remembered as what people say around it.
    OVERHEAR = "overhear"
    IGNORE = "ignore"


class Calling(StrEnum):
    """What makes a message one for the bot."""

    #: It is in a private chat.
    DIRECT = "direct"
    MENTION = "mention"
    #: It replies to one of the bot's.
    REPLY = "reply"
    #: It is a command of the platform's own.
    COMMAND = "command"
    #: It begins with one of the bot's prefixes.
    PREFIX = "prefix"
    #: It says one of the bot's names.
    NAME = "name"
    #: It is said in a thread where a dialogue is going on.
    THREAD = "thread"
    #: Nothing: all that is said there is for the bot.
    ALWAYS = "always"


#: Where nothing else is said.
USUAL_CALLINGS = frozenset(Calling) - {Calling.ALWAYS}


@dataclass(frozen=True, slots=True)
class Calls:
    """How the bot is called at a place."""

    rules: AbstractSet[Calling] = USUAL_CALLINGS
    #: They are cut from what was said.
    prefixes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manner:
    """How the program behaves at a place."""

    persona: str
    language: str = "en"
    #: "" is the persona's.
    model: str = ""
    #: The persona's sampling → that of the place.
    sampling: Callable[[SamplingParams], SamplingParams] | None = None
    calls: Calls = Calls()
    #: In a group, each person has a dialogue of their own; otherwise all share one.
    each_alone: bool = False
    #: What people in a group say among themselves is remembered as context.
    overhears: bool = False
    #: A dialogue in which nobody spoke for so long is over, and the next message begins a new one; 0 keeps it.
    idle_s: float = 0.0
    quiet: QuietHours = NEVER_QUIET
    #: In a private chat, somebody unknown must say a code first.
    asks_for_code: bool = False


#: A channel; with "" as its last word, a workspace.
Place = tuple[Platform, str, str]


class Policy:
    def __init__(
        self,
        manner: Manner,
        places: Mapping[Place, Manner] | None = None,
        access: Access = Access(),  # noqa: B008 - a value that nobody can change
        ranks: Ranks = Ranks(),  # noqa: B008
        quotas: Quotas = Quotas(),  # noqa: B008
    ) -> None:
        """`manner` is that of everywhere else; that of a channel goes before its workspace's."""
        self._manner = manner
        self._places = places or {}
        self.access = access
        self.ranks = ranks
        self.quotas = quotas

    def manner(self, key: SessionKey) -> Manner:
        for place in ((key.platform, key.workspace, key.channel), (key.platform, key.workspace, "")):
            if place in self._places:
                return self._places[place]
        return self._manner

    def admits(self, key: SessionKey, person: Person, roles: AbstractSet[str] = frozenset()) -> bool:
        """Whether the person may speak to the program there; its own account never does."""
        return person.platform_id != key.bot and self.access.admits(key, person, roles)

    def rank(self, key: SessionKey, person: Person, roles: AbstractSet[str] = frozenset()) -> Rank:
        return self.ranks.of(key, person, roles)

    def attention(self, message: InboundMessage) -> Attention:
        """Of a message as it came; a bot's and that of somebody who is shut out are never even stored."""
        key, calls = message.session_key, self.manner(message.session_key).calls
        if message.is_from_bot or not self.admits(key, message.person, message.roles):
            return Attention.IGNORE
        if not (_without_prefix(message.text, calls) or message.attachments or message.quotes):
            return Attention.IGNORE
        if _is_called(message, calls):
            return Attention.ANSWER
        if key.thread and Calling.THREAD in calls.rules:
            return Attention.FOLLOW_UP
        return self.aside(message)

    def aside(self, message: InboundMessage) -> Attention:
        """Of a message that is not for the bot, and comes from somebody who is admitted."""
        overhears = self.manner(message.session_key).overhears and not message.called.directly
        return Attention.OVERHEAR if overhears else Attention.IGNORE

    def received(self, message: InboundMessage) -> InboundMessage:
        """The message at the place where it is answered, without the prefix that called the bot."""
        key = message.session_key
        manner = self.manner(key)
        if manner.each_alone and not message.called.directly:
            key = replace(key, person=message.person.platform_id)
        text = _without_prefix(message.text, manner.calls)
        if key is message.session_key and text == message.text:
            return message
        return replace(message, session_key=key, text=text)

    def corrected(self, edit: Edit) -> Edit:
        """Without the prefix that called the bot."""
        return replace(edit, text=_without_prefix(edit.text, self.manner(edit.session_key).calls))

    def expires_before(self, key: SessionKey, moment: datetime) -> datetime | None:
        """At that moment, a dialogue that was last active before this is over; None where none ever is."""
        idle_s = self.manner(key).idle_s
        return moment - timedelta(seconds=idle_s) if idle_s else None


def _is_called(message: InboundMessage, calls: Calls) -> bool:
    called, rules = message.called, calls.rules
    return (
        Calling.ALWAYS in rules
        or (called.directly and Calling.DIRECT in rules)
        or (called.by_mention and Calling.MENTION in rules)
        or (called.by_reply and Calling.REPLY in rules)
        or (called.by_command and Calling.COMMAND in rules)
        or (Calling.PREFIX in rules and _prefix(message.text, calls) != "")
        or (Calling.NAME in rules and _says_name(message.text, calls))
    )


def _prefix(text: str, calls: Calls) -> str:
    """As it was typed. One that ends with a letter is not the start of a longer word."""
    for prefix in calls.prefixes:
        typed, rest = text[: len(prefix)], text[len(prefix) :]
        is_word = prefix[-1].isalnum() and rest[:1].isalnum()
        if typed.casefold() == prefix.casefold() and not is_word:
            return typed
    return ""


def _without_prefix(text: str, calls: Calls) -> str:
    if Calling.PREFIX not in calls.rules:
        return text
    return text[len(_prefix(text, calls)) :].lstrip()


def _says_name(text: str, calls: Calls) -> bool:
    """As a word of its own."""
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) for name in calls.names)
