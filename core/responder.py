"""The walk's middle: a recorded question → recall → prompt → generate → a reply to be recorded.

It knows no platform: whoever calls it shows the pieces and delivers the reply.
"""

import asyncio
import contextlib
import json
import logging
import secrets
from collections.abc import AsyncGenerator, Sequence
from dataclasses import astuple, dataclass, replace
from hashlib import blake2s

from core.dialogue import FinishReason, Role, TokenizedText, Turn
from core.drawing import DrawEvent, Drawn, draw
from core.generation.request import (
    Backend,
    Candidate,
    Completion,
    GenerationRequest,
    Owner,
    Piece,
    Prompt,
    Timings,
    Waiting,
)
from core.guards import GuardLimits
from core.memory.recording import ReplyRecord
from core.memory.sessions import Session
from core.memory.store import Memory
from core.voice import Voice, Voices

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Streamed:
    """What a person may have seen of a reply that was interrupted, and the seed that drew it."""

    text: str = ""
    token_ids: tuple[int, ...] = ()
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The last event of a reply: what is to be recorded, and how it came about."""

    #: None when the reply was stopped before its first word.
    record: ReplyRecord | None
    finish_reason: FinishReason
    completion: Completion
    prompt: Prompt
    #: The model's name.
    model: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The last event of an answer: what was recorded, and how it came about."""

    #: None when the reply was stopped before its first word.
    turn: Turn | None
    written: Written


WriteEvent = Waiting | Piece | Written
AnswerEvent = Waiting | Piece | Answered


class Responder:
    """Answers the questions of any number of sessions at once, one at a time in each."""

    def __init__(
        self, memory: Memory, backend: Backend, voices: Voices, guards: GuardLimits, timeout_s: float = 300.0
    ) -> None:
        self._memory = memory
        self._backend = backend
        self._voices = voices
        self._guards = guards
        self._timeout_s = timeout_s
        #: Session → the request that writes its reply.
        self._requests: dict[int, str] = {}
        self._stopped: set[str] = set()

    async def answer(self, session: Session, question: Turn) -> AsyncGenerator[AnswerEvent, None]:
        """Streams a reply to a recorded question and records it.

        Asked again about an answered question, it draws another reply beside the first.
        Raises GenerationError, ModelError, PromptTooLong or StorageError; then nothing of the reply is recorded.
        """
        earlier = await self._memory.replies_to(question.id)
        person = session.key.person or await self._memory.author(question.id)
        async with contextlib.aclosing(self.write(session, question, person, earlier)) as events:
            async for event in events:
                if isinstance(event, Written):
                    record = event.record
                    turn = None
                    if record is not None:
                        turn = await self._memory.record_reply(session.id, question.id, record)
                    yield Answered(turn, event)
                else:
                    yield event

    async def write(
        self,
        session: Session,
        question: Turn,
        person: str,
        earlier: Sequence[str] = (),
        streamed: Streamed = Streamed(),
    ) -> AsyncGenerator[WriteEvent, None]:
        """Streams a reply and records nothing.

        `person` is the platform's id of whose request it is; `earlier` are replies that it must not be; with `streamed`
        it goes on after that. Raises GenerationError, ModelError, PromptTooLong or StorageError.
        """
        request_id = self._requests[session.id] = secrets.token_hex(8)
        try:
            voice = await self._voices.ready(session.persona)
            turns = await self._memory.recall(session.id, voice.prompts.room, head_turn_id=question.id)
            prompt = await asyncio.to_thread(voice.prompts.build, voice.persona.system_prompt, turns)
            request = _request(request_id, session, person, voice, prompt, streamed, self._timeout_s)
            avoided = () if streamed.text else (*earlier, *_last_reply(turns))
            async with contextlib.aclosing(self._draw(request, avoided, streamed.text)) as events:
                async for event in events:
                    if isinstance(event, Drawn):
                        yield _written(session, question, voice, prompt, event)
                    else:
                        yield event
        finally:
            if self._requests.get(session.id) == request_id:
                del self._requests[session.id]
            self._stopped.discard(request_id)

    async def stop(self, session_id: int) -> bool:
        """Ends the reply that is being written, or is about to be; what was said of it stays. Whether there was one."""
        request_id = self._requests.get(session_id)
        if request_id is None:
            return False
        self._stopped.add(request_id)
        await self._backend.cancel(request_id)
        return True

    async def _draw(
        self, request: GenerationRequest, earlier: Sequence[str], shown: str
    ) -> AsyncGenerator[DrawEvent, None]:
        if request.id in self._stopped:
            stopped = Candidate(shown, request.prefix_ids, FinishReason.CANCELLED, 0.0)
            yield Drawn(shown, FinishReason.CANCELLED, Completion((stopped,), Timings(), seed=0))
            return
        async with contextlib.aclosing(draw(self._backend, request, earlier, self._guards, shown)) as events:
            async for event in events:
                yield event


def _request(
    request_id: str,
    session: Session,
    person: str,
    voice: Voice,
    prompt: Prompt,
    streamed: Streamed,
    timeout_s: float,
) -> GenerationRequest:
    sampling = voice.sampling if streamed.seed is None else replace(voice.sampling, seed=streamed.seed)
    return GenerationRequest(
        id=request_id,
        model=voice.spec,
        prompt=prompt,
        sampling=sampling,
        stop_ids=voice.tokenizer.stop_ids,
        timeout_s=timeout_s,
        owner=Owner(session.key.platform.value, session.key.workspace, person),
        session=_name_for_engine(session),
        prefix_ids=streamed.token_ids,
    )


def _written(session: Session, question: Turn, voice: Voice, prompt: Prompt, drawn: Drawn) -> Written:
    timings = drawn.completion.timings
    record = ReplyRecord(
        text=drawn.text,
        tokens=TokenizedText(voice.tokenizer.fingerprint, drawn.completion.best.token_ids),
        model=voice.model.name,
        finish_reason=drawn.finish_reason,
        prompt_start_id=prompt.start_turn_id,
        prompt_turns=prompt.turns,
        prompt_tokens=len(prompt.token_ids),
        question_token_count=voice.prompts.count(question.text),
        seed=drawn.completion.seed,
        queue_s=timings.queue_s,
        first_token_s=timings.first_token_s,
        total_s=timings.total_s,
    )
    logger.info(
        "replied",
        extra={
            "action": "reply",
            "session": session.id,
            "model": voice.model.name,
            "tokens": len(drawn.completion.best.token_ids),
            "prompt_tokens": len(prompt.token_ids),
            "prefilled_tokens": timings.prefilled_tokens,
            "finish_reason": drawn.finish_reason,
            "first_token_s": round(timings.first_token_s, 3),
            "total_s": round(timings.total_s, 3),
        },
    )
    return Written(record if drawn.text else None, drawn.finish_reason, drawn.completion, prompt, voice.model.name)


def _last_reply(turns: Sequence[Turn]) -> list[str]:
    return next(([turn.text] for turn in reversed(turns) if turn.role is Role.ASSISTANT), [])


def _name_for_engine(session: Session) -> str:
    """The same in every program that shares the database, and another one in every other database and session."""
    told = json.dumps((*astuple(session.key), session.id, session.created_at.timestamp()))
    return blake2s(told.encode(), digest_size=16).hexdigest()
