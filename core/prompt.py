"""Turns to a prompt: token ids within the context window.

A prompt begins where the dialogue's last one began while that fits, so that the engine can keep what it has read.
Otherwise the oldest turns are dropped until the history takes at most 60 % of its room, and that is the new start.
A summary that tells of what was dropped stands first; so it changes only when the start does. Older turns that have to
do with the question stand just before it, where nothing that the engine could keep comes after them.
It knows nothing of databases, models or sampling; how turns are written for a model is a `PromptFormat`'s business.
"""

from bisect import bisect_left
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from functools import lru_cache
from typing import Protocol, Self

from core.asides import found_aside, opened, opening, summary_before, told_line
from core.dialogue import Role, Summary, Turn
from core.errors import PromptTooLong
from core.generation.request import Prompt, PromptMessage
from core.generation.tokenizer import Tokenizer
from core.prompt_plan import Plan, last_start
from core.speakers import name_speakers, written

#: Of the history's room, after turns were dropped.
KEPT_SHARE = 0.6

#: A summary that takes more of it is left out.
SUMMARY_SHARE = 0.25

#: No vocabulary puts more of an ordinary text into one token; what is longer is taken as too long unread.
_CHARACTERS_PER_TOKEN = 16

#: So many prompts of one short turn are kept, for which many prompts ask; each person's name makes one.
_SHORT_PROMPTS = 256

#: A dialogue's first words: no token that holds one of them holds another.
_FIRST_WORDS = ("a", "0", "\U0001f44b")


class PromptFormat(Protocol):
    """How turns become token ids, up to where the assistant begins."""

    #: It has a place for a system prompt and for speakers' names, and a person speaks first.
    knows_roles: bool

    def token_ids(self, system_prompt: str, turns: Sequence[Turn]) -> list[int]: ...


class PromptBuilder:
    def __init__(
        self, tokenizer: Tokenizer, prompt_format: PromptFormat, context_window: int, max_new_tokens: int
    ) -> None:
        self._tokenizer = tokenizer
        self._format = prompt_format
        self.max_new_tokens: int = max_new_tokens
        #: Tokens that a prompt may have.
        self.room: int = context_window - max_new_tokens
        self._read_once = lru_cache(_SHORT_PROMPTS)(self._read_alone)
        self._start_of_all = lru_cache(_SHORT_PROMPTS)(self._read_start_of_all)

    def with_room_for(self, more_tokens: int) -> Self:
        """The same with so much less room for a prompt, and more for what is drawn."""
        other = copy(self)
        other.max_new_tokens += more_tokens
        other.room -= more_tokens
        return other

    @property
    def knows_roles(self) -> bool:
        """Whether something can be told to the model beside the dialogue's turns."""
        return self._format.knows_roles

    def build(self, system_prompt: str, turns: Sequence[Turn]) -> Prompt:
        """See `plan`, with nothing from before."""
        return self.finish(self.plan(system_prompt, turns))

    def plan(self, system_prompt: str, turns: Sequence[Turn], summaries: Sequence[Summary] = ()) -> Plan:
        """`turns` are oldest first and end with the person's that is answered; so are the summaries.

        Raises PromptTooLong where the system prompt and the reply's budget leave no room for it.
        """
        if not turns or turns[-1].role is not Role.PERSON:
            raise ValueError("a prompt answers a person's turn")
        spoken = self._spoken(turns)
        fixed = self._fixed_tokens(system_prompt, spoken[-1])
        usable = self._usable(summaries, fixed)
        start = self._same_start(spoken)
        ids = self._read(system_prompt, opened(spoken[start:], usable))
        if ids is None:
            start = self._later_start(system_prompt, spoken, start, fixed, usable)
            ids = self._read(system_prompt, opened(spoken[start:], usable))
        summary = summary_before(spoken[start], usable)
        if ids is None and summary is not None:
            summary, ids = None, self._read(system_prompt, spoken[start:])
        return Plan(
            system_prompt=system_prompt,
            opening=opening(summary),
            turns=tuple(spoken[start:]),
            token_ids=None if ids is None else tuple(ids),
            fixed_tokens=fixed,
            is_trimmed=start > 0,
            summary=summary,
        )

    def finish(self, plan: Plan, found: Sequence[Turn] = (), max_found_tokens: int = 0) -> Prompt:
        """`found` are older turns, the best first; those are shown that the plan leaves room for.

        Raises PromptTooLong where nothing of the question has room.
        """
        ids, turns, note = plan.token_ids, [*plan.opening, *plan.turns], ""
        if ids is None:
            last, cut_ids, note = self._cut(plan.system_prompt, plan.turns[-1], plan.fixed_tokens)
            ids, turns = tuple(cut_ids), [*turns[:-1], last]
        elif found:
            ids, turns = self._with_found(plan, ids, found, min(max_found_tokens, self.room - len(ids)))
        return Prompt(
            token_ids=ids,
            messages=self._messages(plan.system_prompt, turns),
            persona_tokens=self._persona_tokens(plan.system_prompt, ids),
            start_turn_id=plan.turns[0].id,
            turns=len(plan.turns),
            note=note,
        )

    def alone(self, system_prompt: str, text: str) -> Prompt | None:
        """A prompt of its own, beside any dialogue; None where it has no room."""
        turns = [Turn(0, Role.PERSON, text)]
        ids = self._read(system_prompt, turns)
        return None if ids is None else Prompt(tuple(ids), self._messages(system_prompt, turns))

    def next_dropped(self, plan: Plan) -> int | None:
        """The newest turn that will be dropped when the room is full; None where nothing can be dropped."""
        spoken = plan.turns
        later = [index for index, turn in enumerate(spoken) if index and self._may_start(turn)]
        whole = self._read(plan.system_prompt, spoken)
        if whole is None or not later:
            return None
        limit = len(whole) - (1 - KEPT_SHARE) * (self.room - plan.fixed_tokens)
        fitting = bisect_left(later, True, key=lambda start: self._fits(plan.system_prompt, spoken[start:], limit))
        return spoken[later[min(fitting, len(later) - 1)] - 1].id

    def count(self, text: str) -> int:
        """How many tokens a turn of this text takes, without what the format puts around it."""
        return self._tokenizer.count(text)

    def _spoken(self, turns: Sequence[Turn]) -> list[Turn]:
        """Without the turns in which nothing was said; with names where several people speak."""
        said = [turn for turn in turns[:-1] if turn.text.strip() or drawn_ids(turn, self._tokenizer)]
        spoken = [*said, turns[-1]]
        return name_speakers(spoken) if self._format.knows_roles else spoken

    def _fixed_tokens(self, system_prompt: str, newest: Turn) -> int:
        fixed = len(self._read_once(system_prompt, Turn(0, newest.role, "", newest.speaker)))
        if fixed < self.room:
            return fixed
        raise PromptTooLong(
            f"The system prompt takes {fixed:,} tokens and only {max(self.room, 0):,} are there for the whole prompt: "
            "shorten it, lower `sampling.max_new_tokens` or raise `generation.context_window`"
        )

    def _read_alone(self, system_prompt: str, turn: Turn) -> tuple[int, ...]:
        return tuple(self._format.token_ids(system_prompt, [turn]))

    def _persona_tokens(self, system_prompt: str, ids: Sequence[int]) -> int:
        """How much of a prompt's start it shares with dialogues that begin in other words."""
        if not (self._format.knows_roles and system_prompt.strip()):
            return 0
        return _same_tokens(ids, self._start_of_all(system_prompt))

    def _read_start_of_all(self, system_prompt: str) -> tuple[int, ...]:
        """What the prompts of all dialogues begin with."""
        first, *others = [self._read_once(system_prompt, Turn(0, Role.PERSON, word)) for word in _FIRST_WORDS]
        return first[: min(_same_tokens(first, other) for other in others)]

    def _usable(self, summaries: Sequence[Summary], fixed: int) -> Sequence[Summary]:
        limit = SUMMARY_SHARE * (self.room - fixed)
        return [summary for summary in summaries if self.knows_roles and self.count(summary.text) <= limit]

    def _same_start(self, spoken: list[Turn]) -> int:
        """Where the dialogue's last prompt began."""
        last = last_start(spoken) or 0
        return next(index for index, turn in enumerate(spoken) if index >= last and self._may_start(turn))

    def _later_start(
        self, system_prompt: str, spoken: list[Turn], first: int, fixed: int, summaries: Sequence[Summary]
    ) -> int:
        """Where it begins when what comes after `first` has no room."""

        def fits(start: int, limit: float) -> bool:
            return self._fits(system_prompt, opened(spoken[start:], summaries), limit)

        limit = fixed + KEPT_SHARE * (self.room - fixed)
        later = [index for index, turn in enumerate(spoken) if index > first and self._may_start(turn)]
        told = next((index for index in later if summaries and spoken[index].id > summaries[-1].until_turn_id), None)
        if told is not None and summaries[-1].until_turn_id >= spoken[first].id and fits(told, self.room):
            return told
        fitting = bisect_left(later, True, key=lambda start: fits(start, limit))
        return later[fitting] if fitting < len(later) else (later or [first])[-1]

    def _may_start(self, turn: Turn) -> bool:
        return turn.role is Role.PERSON or not self._format.knows_roles

    def _fits(self, system_prompt: str, turns: Sequence[Turn], limit: float) -> bool:
        ids = self._read(system_prompt, turns)
        return ids is not None and len(ids) <= limit

    def _read(self, system_prompt: str, turns: Sequence[Turn]) -> list[int] | None:
        """The prompt's ids; None where it has no room. What is far too long is not even tokenised."""
        characters = sum(len(turn.text) for turn in turns)
        if characters > self.room * _CHARACTERS_PER_TOKEN or len(turns) > self.room:
            return None
        ids = self._format.token_ids(system_prompt, turns)
        return ids if len(ids) <= self.room else None

    def _with_found(
        self, plan: Plan, ids: tuple[int, ...], found: Sequence[Turn], max_tokens: int
    ) -> tuple[tuple[int, ...], list[Turn]]:
        """The plan's ids and turns with as many of the found as fit, in the order in which they were said."""
        shown: list[Turn] = []
        left = max_tokens - self.count(found_aside(()).text)
        for turn in found:
            cost = self.count(told_line(turn)) + 1
            if cost <= left:
                shown.append(turn)
                left -= cost
        before = [*plan.opening, *plan.turns[:-1]]
        while shown:
            turns = [*before, found_aside(shown), plan.turns[-1]]
            more = self._read(plan.system_prompt, turns)
            if more is not None and len(more) <= len(ids) + max_tokens:
                return tuple(more), turns
            shown.pop()
        return ids, [*before, plan.turns[-1]]

    def _cut(self, system_prompt: str, turn: Turn, fixed: int) -> tuple[Turn, list[int], str]:
        """The end of one turn that is longer than the room."""
        text, kept = turn.text[-self.room * _CHARACTERS_PER_TOKEN :], self.room - fixed
        while kept > 0 and text:
            text = self._end_of(text, kept)
            shorter = replace(turn, text=text, tokens=None)
            ids = self._format.token_ids(system_prompt, [shorter])
            if text and len(ids) <= self.room:
                return shorter, ids, self._note(len(ids) - fixed, turn.text)
            kept -= max(len(ids) - self.room, 1)
        raise PromptTooLong(
            f"{self.room - fixed:,} tokens are left for a message, and not one character of it fits: "
            "shorten the system prompt, lower `sampling.max_new_tokens` or raise `generation.context_window`"
        )

    def _end_of(self, text: str, tokens: int) -> str:
        """The longest end of a text that about so many tokens hold, never half of a character."""
        width = 4 * tokens
        ids = self._tokenizer.encode_data(text[-width:])
        while len(ids) < tokens and width < len(text):
            width *= 2
            ids = self._tokenizer.encode_data(text[-width:])
        end = self._tokenizer.decode(ids[-tokens:]).lstrip("\ufffd")
        return text[-len(end) :].lstrip() if end else ""

    def _note(self, read: int, text: str) -> str:
        total = self._tokenizer.count(text)
        return f"The message is too long: only its last {read:,} of about {total:,} tokens were read."

    def _messages(self, system_prompt: str, turns: Sequence[Turn]) -> tuple[PromptMessage, ...]:
        messages = [PromptMessage("user" if turn.role is Role.PERSON else "assistant", written(turn)) for turn in turns]
        if self._format.knows_roles and system_prompt.strip():
            messages.insert(0, PromptMessage("system", system_prompt.strip()))
        return tuple(messages)


def _same_tokens(ids: Sequence[int], others: Sequence[int]) -> int:
    """How many both begin with."""
    pairs = enumerate(zip(ids, others, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(ids), len(others)))


def drawn_ids(turn: Turn, tokenizer: Tokenizer) -> tuple[int, ...]:
    """The ids that the model drew for a turn; () where there are none, or another tokenizer's."""
    if turn.role is Role.ASSISTANT and turn.tokens is not None and turn.tokens.tokenizer == tokenizer.fingerprint:
        return turn.tokens.ids
    return ()
