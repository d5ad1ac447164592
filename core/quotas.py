"""How much anybody may have of the program in a day. Decisions over numbers; who counts them is `core.memory.usage`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum

from core.texts import marked


class Scope(StrEnum):
    """Whose a quota is."""

    PERSON = "person"
    CHANNEL = "channel"
    WORKSPACE = "workspace"


class Unit(StrEnum):
    MESSAGES = "messages"
    TOKENS = "tokens"
    GPU_SECONDS = "gpu_s"


@dataclass(frozen=True, slots=True)
class Amount:
    """What was used, or may be."""

    #: Those that the model answered, or was asked to.
    messages: int = 0
    #: Read and written.
    tokens: int = 0
    #: For so long replies were written; those of several people at once count for each.
    gpu_s: float = 0.0

    def of(self, unit: Unit) -> float:
        if unit is Unit.MESSAGES:
            return self.messages
        return self.tokens if unit is Unit.TOKENS else self.gpu_s


NOTHING = Amount()


@dataclass(frozen=True, slots=True)
class Day:
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Quotas:
    """Each 0 is no limit."""

    person: Amount = NOTHING
    channel: Amount = NOTHING
    workspace: Amount = NOTHING
    #: Whose midnight begins a day.
    zone: tzinfo = UTC

    @property
    def limits(self) -> Mapping[Scope, Amount]:
        """The scopes that have any."""
        of_all = {Scope.PERSON: self.person, Scope.CHANNEL: self.channel, Scope.WORKSPACE: self.workspace}
        return {scope: amount for scope, amount in of_all.items() if amount != NOTHING}

    def day(self, moment: datetime) -> Day:
        today = moment.astimezone(self.zone).date()
        start, end = (datetime.combine(date, time(), self.zone) for date in (today, today + timedelta(days=1)))
        return Day(start.astimezone(UTC), end.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The quota that is used up."""

    scope: Scope
    unit: Unit
    limit: float


def exceeded(limits: Mapping[Scope, Amount], used: Mapping[Scope, Amount]) -> Exceeded | None:
    """The first quota that leaves nothing for one more message."""
    for scope, limit in limits.items():
        for unit in Unit:
            if limit.of(unit) and used.get(scope, NOTHING).of(unit) >= limit.of(unit):
                return Exceeded(scope, unit, limit.of(unit))
    return None


#: Whole sentences, so that each can be translated as one.
REFUSALS: Mapping[tuple[Scope, Unit], str] = {
    (Scope.PERSON, Unit.MESSAGES): marked(
        "You have had your {limit} messages of today. Go on in {hours} h {minutes} min."
    ),
    (Scope.PERSON, Unit.TOKENS): marked(
        "You have used up your {limit} tokens of today. Go on in {hours} h {minutes} min."
    ),
    (Scope.PERSON, Unit.GPU_SECONDS): marked(
        "You have used up your {limit} s of computing time of today. Go on in {hours} h {minutes} min."
    ),
    (Scope.CHANNEL, Unit.MESSAGES): marked(
        "This channel has had its {limit} messages of today. Go on in {hours} h {minutes} min."
    ),
    (Scope.CHANNEL, Unit.TOKENS): marked(
        "This channel has used up its {limit} tokens of today. Go on in {hours} h {minutes} min."
    ),
    (Scope.CHANNEL, Unit.GPU_SECONDS): marked(
        "This channel has used up its {limit} s of computing time of today. Go on in {hours} h {minutes} min."
    ),
    (Scope.WORKSPACE, Unit.MESSAGES): marked(
        "This workspace has had its {limit} messages of today. Go on in {hours} h {minutes} min."
    ),
    (Scope.WORKSPACE, Unit.TOKENS): marked(
        "This workspace has used up its {limit} tokens of today. Go on in {hours} h {minutes} min."
    ),
    (Scope.WORKSPACE, Unit.GPU_SECONDS): marked(
        "This workspace has used up its {limit} s of computing time of today. Go on in {hours} h {minutes} min."
    ),
}


def hours_and_minutes(left: timedelta) -> tuple[int, int]:
    """Rounded up to a minute, and never nothing."""
    minutes = max(-(-left // timedelta(minutes=1)), 1)
    return minutes // 60, minutes % 60
