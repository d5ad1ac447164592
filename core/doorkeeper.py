"""What is to be done with a message whose turn it is: answer it, refuse it with a reason, or leave it.

It asks the policy, and looks up what the policy can't know: who is paired, and what was used of the day's quotas. It is
asked before a message is begun; asked again about the same message, it says the same, whatever was counted meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from core.access import Rank
from core.commands.command import Command, parse
from core.dialogue import Edit, Feedback, InboundMessage, Person, SessionKey, TurnState
from core.memory.leased import WaitingMessage
from core.memory.usage import Admission
from core.pairing import code_in, hash_of
from core.policy import Manner, Policy
from core.quotas import REFUSALS, Exceeded, hours_and_minutes
from core.texts import marked

#: Commands that have the model write something.
_COSTLY_COMMANDS = frozenset({"regenerate", "continue"})


class Decision(StrEnum):
    ANSWER = "answer"
    #: A text takes the answer's place.
    SAY = "say"
    #: Nobody is answered; the message is remembered as what people say around the bot.
    REMEMBER = "remember"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Verdict:
    decision: Decision
    #: What is said, in English; `{name}`s in it are filled with `values`.
    english: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    #: What the message ends as.
    ends_as: TurnState = TurnState.REFUSED
    #: For the operator.
    reason: str = ""


ANSWER = Verdict(Decision.ANSWER)
_REMEMBER = Verdict(Decision.REMEMBER, reason="overheard")
_DENIED = Verdict(Decision.IGNORE, reason="not admitted")
_QUIET = Verdict(Decision.IGNORE, reason="quiet hours")
_TOO_LATE = Verdict(
    Decision.SAY,
    marked("I was away when you wrote. Ask me again if you still want an answer."),
    reason="said too long ago",
)
_WELCOME = Verdict(
    Decision.SAY, marked("Welcome! You can talk to me now."), ends_as=TurnState.DELIVERED, reason="paired"
)
_UNKNOWN = Verdict(
    Decision.SAY,
    marked("I do not know you yet. Ask whoever runs me for a code, and send it to me."),
    reason="unknown person",
)
_WRONG_CODE = Verdict(
    Decision.SAY,
    marked("That code is not valid, or not any more. Ask whoever runs me for another one."),
    reason="wrong code",
)


async def answer_everybody(_message: WaitingMessage) -> Verdict:
    """Where no doorkeeper stands."""
    return ANSWER


@dataclass(frozen=True, slots=True)
class _Said:
    """What is judged, as far as that matters."""

    key: SessionKey
    person: Person
    #: None where the platform does not tell them.
    roles: frozenset[str] | None
    accepted_at: datetime
    text: str = ""
    directly: bool = False
    costs: bool = True


class Counting(Protocol):
    """`core.memory.usage.Usage`."""

    async def admit(self, admission: Admission) -> Exceeded | None: ...


class Acquaintances(Protocol):
    """`core.memory.pairing.Pairings`."""

    async def redeem(self, code_hash: str, person: Person, moment: datetime) -> bool: ...

    async def is_paired(self, person: Person) -> bool: ...


class Doorkeeper:
    def __init__(self, policy: Policy, usage: Counting, pairings: Acquaintances) -> None:
        self._policy = policy
        self._usage = usage
        self._pairings = pairings

    async def __call__(self, message: WaitingMessage) -> Verdict:
        """Raises StorageError."""
        said = _read(message)
        if said is None:
            return ANSWER
        if not self._admits(said):
            return _DENIED
        if isinstance(message.inbound, InboundMessage) and message.inbound.is_overheard:
            return _REMEMBER
        manner = self._policy.manner(said.key)
        unknown = await self._unknown(said, manner)
        if unknown is not None:
            return unknown
        if isinstance(message.inbound, InboundMessage) and message.inbound.is_late:
            return _TOO_LATE
        if not said.costs:
            return ANSWER
        return _quiet(said, manner) or await self._quota(message.id, said) or ANSWER

    def _admits(self, said: _Said) -> bool:
        if said.roles is None:  # by a role that is not told they may be allowed
            return not self._policy.access.denies(said.key, said.person, frozenset())
        return self._policy.admits(said.key, said.person, said.roles)

    async def _unknown(self, said: _Said, manner: Manner) -> Verdict | None:
        """Whoever says a code twice is welcomed twice: nobody knows whether they have read the first answer."""
        if not (said.directly and manner.asks_for_code) or self._is_known(said):
            return None
        code = code_in(said.text)
        if code is not None and await self._pairings.redeem(hash_of(code), said.person, said.accepted_at):
            return _WELCOME
        if await self._pairings.is_paired(said.person):
            return None
        return _UNKNOWN if code is None else _WRONG_CODE

    def _is_known(self, said: _Said) -> bool:
        return self._policy.access.knows(said.key, said.person) or self._rank(said) > Rank.PERSON

    async def _quota(self, message_id: int, said: _Said) -> Verdict | None:
        quotas = self._policy.quotas
        if not quotas.limits or self._rank(said) is Rank.OPERATOR:
            return None
        day = quotas.day(said.accepted_at)
        admission = Admission(message_id, said.key, said.person.platform_id, said.accepted_at, day, quotas.limits)
        over = await self._usage.admit(admission)
        if over is None:
            return None
        hours, minutes = hours_and_minutes(day.end - datetime.now(UTC))
        values = {"limit": f"{over.limit:g}", "hours": hours, "minutes": minutes}
        return Verdict(Decision.SAY, REFUSALS[over.scope, over.unit], values, reason=f"quota: {over.scope} {over.unit}")

    def _rank(self, said: _Said) -> Rank:
        return self._policy.rank(said.key, said.person, said.roles or frozenset())


def _quiet(said: _Said, manner: Manner) -> Verdict | None:
    end = manner.quiet.until(said.accepted_at)
    if end is None:
        return None
    if not manner.quiet.is_told:
        return _QUIET
    told = {"time": f"{end.astimezone(manner.quiet.zone):%H:%M %Z}"}
    return Verdict(Decision.SAY, marked("I keep quiet until {time}. Ask me again then."), told, reason=_QUIET.reason)


def _read(message: WaitingMessage) -> _Said | None:
    """None of what nobody asks for: a deletion, a move."""
    inbound, at = message.inbound, message.accepted_at
    if isinstance(inbound, InboundMessage):
        said = parse(inbound.text)
        costs = not isinstance(said, Command) or said.name in _COSTLY_COMMANDS
        key, called = inbound.session_key, inbound.called
        return _Said(key, inbound.person, inbound.roles, at, inbound.text, called.directly, costs)
    if isinstance(inbound, Feedback):
        return _Said(inbound.session_key, inbound.person, inbound.roles, at)
    if isinstance(inbound, Edit):
        return _Said(inbound.session_key, inbound.person, None, at)
    return None
