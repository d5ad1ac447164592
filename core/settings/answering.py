"""The settings of who is answered, where, how, and how much.

Workspaces, channels, people and roles are named with their platform: "slack/T012", "slack/T012/C7"; a workspace that
the platform does not have is left empty: "telegram//42"; "discord/*/42" is in every workspace of Discord.
"""

import re
from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from core.dialogue import Platform
from core.settings.sampling import SamplingSettings
from core.settings.section import Section

_PLATFORM = f"({'|'.join(Platform)})"


def _named(pattern: str, told: str) -> AfterValidator:
    def check(name: str) -> str:
        if re.fullmatch(f"{_PLATFORM}/{pattern}", name) is None:
            raise PydanticCustomError("no_name", f"should name {told}")
        return name

    return AfterValidator(check)


_Workspace = Annotated[str, _named(r"[^/]*", 'a workspace, such as "slack/T012" or "slack/*"')]
_Member = Annotated[
    str, _named(r"[^/]*/.+", 'a channel, a person or a role, such as "slack/T012/C7", "telegram//42" or "discord/*/42"')
]
#: What holds in every workspace is said in `[answering]`.
PlaceName = Annotated[
    str, _named(r"([^/*][^/]*)?(/.+)?", 'a workspace or a channel, such as "slack/T012" or "slack/T012/C7"')
]


def _a_zone(name: str) -> str:
    if name == "UTC":
        return name
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise PydanticCustomError("no_zone", 'should be a time zone such as "Europe/Berlin" or "UTC"') from None
    return name


def _a_span(span: str) -> str:
    """Raises ValueError where a time is none."""
    start, _, end = span.partition("-")
    if time.fromisoformat(start) == time.fromisoformat(end):
        raise ValueError("it would never begin")
    return span


def _spans(spans: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(map(_a_span, spans))
    except ValueError:
        raise PydanticCustomError("no_span", 'should be two different times, such as "22:00-07:00"') from None


def _no_command(prefix: str) -> str:
    if prefix.startswith("/"):
        raise PydanticCustomError("no_prefix", "should not begin with a slash: commands do")
    return prefix


_Zone = Annotated[str, AfterValidator(_a_zone)]
_Spans = Annotated[tuple[str, ...], AfterValidator(_spans)]
_Word = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_Prefix = Annotated[_Word, AfterValidator(_no_command)]
_Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*$")]
_Calling = Literal["direct", "mention", "reply", "command", "prefix", "name", "thread", "always"]


class AnsweringSettings(Section):
    """Who is answered and how, where `[places]` says nothing else."""

    #: Which messages are for the bot.
    answer_to: tuple[_Calling, ...] = ("direct", "mention", "reply", "command", "prefix", "name", "thread")
    #: A message that begins so is for the bot.
    prefixes: tuple[_Prefix, ...] = ()
    #: A message that says one of them is for the bot.
    names: tuple[_Word, ...] = ()
    #: Of what the program itself says.
    language: _Language = "en"
    #: In a group, each person has a dialogue of their own; otherwise all share one.
    each_alone: bool = False
    #: What people in a group say among themselves is stored and read by the model as well.
    group_context: bool = False
    #: A dialogue in which nobody spoke for so long is over; the next message begins a new one. 0 keeps it.
    idle_s: Annotated[float, Field(ge=0)] = 0.0
    #: When nobody is answered: "22:00-07:00".
    quiet_hours: _Spans = ()
    #: Whoever speaks in quiet hours is told so.
    quiet_notice: bool = True
    #: Of quiet hours, and of the days that quotas are counted by.
    time_zone: _Zone = "UTC"
    #: In private chats: answered, or asked for a code of `banter pair`; whoever `[access]` or `[ranks]` names is known.
    unknown_people: Literal["answer", "pair"] = "answer"


class PlaceSettings(Section):
    """What is different in one workspace or channel; what is left out is as it is around it."""

    persona: str | None = None
    #: One that the persona does not have.
    model: str | None = None
    sampling: SamplingSettings = SamplingSettings()
    answer_to: tuple[_Calling, ...] | None = None
    prefixes: tuple[_Prefix, ...] | None = None
    names: tuple[_Word, ...] | None = None
    language: _Language | None = None
    each_alone: bool | None = None
    group_context: bool | None = None
    idle_s: Annotated[float, Field(ge=0)] | None = None
    quiet_hours: _Spans | None = None
    quiet_notice: bool | None = None
    time_zone: _Zone | None = None
    unknown_people: Literal["answer", "pair"] | None = None


class AccessSettings(Section):
    """Who may speak to the bots. What is denied is denied, whatever is allowed.

    A list of allowed channels, people or roles shuts out all others in the workspaces that it names, and nobody in
    another one.
    """

    #: Only these are answered, where there are any.
    allow_workspaces: tuple[_Workspace, ...] = ()
    allow_channels: tuple[_Member, ...] = ()
    allow_people: tuple[_Member, ...] = ()
    #: Whoever has one is allowed as if named.
    allow_roles: tuple[_Member, ...] = ()
    deny_workspaces: tuple[_Workspace, ...] = ()
    deny_channels: tuple[_Member, ...] = ()
    deny_people: tuple[_Member, ...] = ()
    deny_roles: tuple[_Member, ...] = ()


class RankSettings(Section):
    """Who may do what in the dialogues of others, and who may do everything."""

    moderators: tuple[_Member, ...] = ()
    moderator_roles: tuple[_Member, ...] = ()
    #: No quota holds for them.
    operators: tuple[_Member, ...] = ()
    operator_roles: tuple[_Member, ...] = ()


class QuotaSettings(Section):
    """How much is answered in a day; 0 is no limit."""

    person_messages: Annotated[int, Field(ge=0)] = 0
    #: Read and written.
    person_tokens: Annotated[int, Field(ge=0)] = 0
    #: The time in which replies are written; it counts for each of those that are written at once.
    person_gpu_s: Annotated[float, Field(ge=0)] = 0.0
    channel_messages: Annotated[int, Field(ge=0)] = 0
    channel_tokens: Annotated[int, Field(ge=0)] = 0
    channel_gpu_s: Annotated[float, Field(ge=0)] = 0.0
    workspace_messages: Annotated[int, Field(ge=0)] = 0
    workspace_tokens: Annotated[int, Field(ge=0)] = 0
    workspace_gpu_s: Annotated[float, Field(ge=0)] = 0.0
