"""What a model is told of a dialogue: its newest turns, a summary of those before them, and older ones that were found.

A dialogue that fits its prompt whole costs one query. Only of a longer one the rest is looked for.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from core.dialogue import Summary, Turn
from core.errors import StorageError
from core.generation.request import Backend, Prompt
from core.memory.recall import Recalled
from core.memory.search import Search
from core.memory.sessions import Session
from core.memory.store import Memory
from core.prompt_plan import Plan
from core.summary import Longing, Summarizer, SummaryLimits
from core.voice import Voice


@dataclass(frozen=True, slots=True)
class RecollectionLimits:
    #: None: there are no summaries.
    summary: SummaryLimits | None = field(default_factory=SummaryLimits)
    #: Of older turns that are shown beside a question; 0: nothing is looked for, as where texts are sealed.
    found_tokens: int = 400


#: Read in about a millisecond.
_SHORT_CHARS = 4000

#: The newest turns alone.
NOTHING = RecollectionLimits(summary=None, found_tokens=0)


@dataclass(frozen=True, slots=True)
class Recollected:
    prompt: Prompt
    plan: Plan
    #: The newest of the dialogue, oldest first; the prompt may hold fewer.
    turns: tuple[Turn, ...]
    #: The newest turn that the prompt has no room for; None where it holds the whole dialogue.
    dropped_id: int | None


class Recollection:
    """Nothing of one session is ever told in another: every query names the session."""

    def __init__(
        self, memory: Memory, limits: RecollectionLimits = NOTHING, summarizer: Summarizer | None = None
    ) -> None:
        """Without a summarizer no new summaries are made."""
        self._memory = memory
        self._limits = limits
        self._summarizer = summarizer

    async def recollect(self, session: Session, question: Turn, voice: Voice) -> Recollected:
        """Raises PromptTooLong or StorageError."""
        recalled = await self._memory.recall_from(session.id, voice.prompts.room, question.id)
        if not recalled.turns:  # forgotten, or moved to another dialogue, since it was begun
            raise StorageError(f"The message that is answered is no longer in session {session.id}; ask again")
        plan, prompt = await _planned(voice, recalled)
        if prompt is not None:
            return Recollected(prompt, plan, recalled.turns, _dropped(plan, recalled))
        summaries: tuple[Summary, ...] = ()
        if self._limits.summary is not None:
            summaries = await self._memory.summaries(session.id, question.id)
        if summaries:
            plan = await asyncio.to_thread(voice.prompts.plan, voice.persona.system_prompt, recalled.turns, summaries)
        found: tuple[Turn, ...] = ()
        if self._limits.found_tokens:
            wanted = Search(session.id, question.id, question.text, before_turn_id=plan.turns[0].id)
            found = await self._memory.search(wanted)
        prompt = await asyncio.to_thread(voice.prompts.finish, plan, found, self._limits.found_tokens)
        return Recollected(prompt, plan, recalled.turns, _dropped(plan, recalled))

    def keep_up(self, session: Session, voice: Voice, recollected: Recollected, reply_tokens: int) -> None:
        """Has a summary made where the next prompts will miss one. It returns at once, and fails in silence."""
        if self._summarizer is None:
            return
        tokens = len(recollected.prompt.token_ids) + reply_tokens
        self._summarizer.keep_up(Longing(session, voice, recollected.plan, recollected.dropped_id, tokens))


@asynccontextmanager
async def recollecting(memory: Memory, backend: Backend, limits: RecollectionLimits) -> AsyncIterator[Recollection]:
    """At the end, summaries that are being made are given up."""
    summarizer = None if limits.summary is None else Summarizer(memory, backend, limits.summary)
    try:
        yield Recollection(memory, limits, summarizer)
    finally:
        if summarizer is not None:
            await summarizer.aclose()


async def _planned(voice: Voice, recalled: Recalled) -> tuple[Plan, Prompt | None]:
    """See `_plan`. A short dialogue is read on the spot: the way to a thread and back takes longer."""
    if sum(len(turn.text) for turn in recalled.turns) <= _SHORT_CHARS:
        return _plan(voice, recalled)
    return await asyncio.to_thread(_plan, voice, recalled)


def _plan(voice: Voice, recalled: Recalled) -> tuple[Plan, Prompt | None]:
    """And the prompt, where there is nothing to add to it."""
    plan = voice.prompts.plan(voice.persona.system_prompt, recalled.turns)
    is_whole = recalled.older_id is None and not plan.is_trimmed
    return plan, voice.prompts.finish(plan) if is_whole or not voice.prompts.knows_roles else None


def _dropped(plan: Plan, recalled: Recalled) -> int | None:
    before = [turn.id for turn in recalled.turns if turn.id < plan.turns[0].id]
    return before[-1] if before else recalled.older_id
