"""The walk's middle: a recorded question → recall → prompt → generate → a reply to be recorded.

It knows no platform: whoever calls it shows the pieces and delivers the reply.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, replace
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
from core.memory.candidates import CandidateRecord
from core.memory.recording import ReplyRecord
from core.memory.sessions import Session
from core.memory.store import Memory
from core.recollection import Recollection
from core.reply_start import ReplyStart, start_of
from core.voice import Tuning, Voice, Voices

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Streamed:
    """What a person may have seen of a reply that was interrupted, and the seed that drew it."""

    text: str = ""
    token_ids: tuple[int, ...] = ()
    seed: int | None = None
    #: An earlier reply to the question that is gone on with: `text` comes after it.
    continues: Turn | None = None
    #: Somebody stopped it: nothing more is drawn.
    is_stopped: bool = False


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
    #: The reply without what it goes on after.
    added: str


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
        self,
        memory: Memory,
        backend: Backend,
        voices: Voices,
        guards: GuardLimits,
        timeout_s: float = 300.0,
        recollection: Recollection | None = None,
    ) -> None:
        """Without a recollection the model is told the newest turns alone."""
        self._memory = memory
        self._backend = backend
        self._voices = voices
        self._guards = guards
        self._timeout_s = timeout_s
        self._recollection = recollection or Recollection(memory)
        #: Session → the request that writes its reply.
        self._requests: dict[int, str] = {}
        self._stopped: set[str] = set()

    async def answer(
        self, session: Session, question: Turn, continues: Turn | None = None
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Streams a reply to a recorded question and records it.

        Asked again about an answered question, it draws another reply beside the first, or goes on with one of them.
        Raises GenerationError, ModelError, PromptTooLong or StorageError; then nothing of the reply is recorded.
        """
        with self._requesting(session.id) as request_id:
            earlier = await self._memory.replies_to(question.id)
            person = session.key.person or await self._memory.author(question.id)
            asked = _Asked(request_id, session, question, person, earlier, Streamed(continues=continues))
            async with contextlib.aclosing(self._write(asked)) as events:
                async for event in events:
                    if not isinstance(event, Written):
                        yield event
                        continue
                    _log_reply(session, event)
                    turn = None
                    if event.record is not None:
                        turn = await self._memory.record_reply(session.id, question.id, event.record)
                    yield Answered(turn, event)

    async def write(
        self,
        session: Session,
        question: Turn,
        person: str,
        earlier: Sequence[str] = (),
        streamed: Streamed = Streamed(),
        tuning: Tuning | None = None,
    ) -> AsyncGenerator[WriteEvent, None]:
        """Streams a reply and records nothing.

        `person` is the platform's id of whose request it is; `earlier` are replies that it must not be; with `streamed`
        it goes on after that, and no piece holds it; `tuning` is the place's. Raises GenerationError, ModelError,
        PromptTooLong or StorageError.
        """
        with self._requesting(session.id) as request_id:
            if streamed.is_stopped:
                self._stopped.add(request_id)
            asked = _Asked(request_id, session, question, person, earlier, streamed, tuning)
            async with contextlib.aclosing(self._write(asked)) as events:
                async for event in events:
                    yield event

    @contextlib.contextmanager
    def _requesting(self, session_id: int) -> Iterator[str]:
        """The request's id; from the first moment on it can be stopped."""
        request_id = self._requests[session_id] = secrets.token_hex(8)
        try:
            yield request_id
        finally:
            if self._requests.get(session_id) == request_id:
                del self._requests[session_id]
            self._stopped.discard(request_id)

    async def _write(self, asked: "_Asked") -> AsyncGenerator[WriteEvent, None]:
        session, question = asked.session, asked.question
        voice = (await self._voices.ready(session.persona, session.model)).tuned(asked.tuning)
        start = ReplyStart()
        if asked.streamed.continues is not None:
            start = await asyncio.to_thread(start_of, voice, asked.streamed.continues)
        shown = start.text + asked.streamed.text
        if start.token_ids:
            voice = replace(voice, prompts=voice.prompts.with_room_for(len(start.token_ids)))
        recollected = await self._recollection.recollect(session, question, voice)
        request = _request(asked, voice, recollected.prompt, start, self._timeout_s)
        avoided = () if shown else (*asked.earlier, *_last_reply(recollected.turns))
        async with contextlib.aclosing(self._draw(request, avoided, shown)) as events:
            async for event in events:
                if isinstance(event, Drawn):
                    drawn_tokens = len(event.completion.best.token_ids)
                    self._recollection.keep_up(session, voice, recollected, drawn_tokens)
                    yield _written(question, voice, recollected.prompt, start, event)
                else:
                    yield event

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


@dataclass(frozen=True, slots=True)
class _Asked:
    """See `Responder.write`."""

    request_id: str
    session: Session
    question: Turn
    person: str
    earlier: Sequence[str]
    streamed: Streamed
    tuning: Tuning | None = None


def _request(asked: _Asked, voice: Voice, prompt: Prompt, start: ReplyStart, timeout_s: float) -> GenerationRequest:
    sampling, streamed = voice.sampling, asked.streamed
    if streamed.seed is not None:
        sampling = replace(sampling, seed=streamed.seed)
    if start.token_ids:
        sampling = replace(sampling, max_new_tokens=sampling.max_new_tokens + len(start.token_ids))
    return GenerationRequest(
        id=asked.request_id,
        model=voice.spec,
        prompt=prompt,
        sampling=sampling,
        stop_ids=voice.tokenizer.stop_ids,
        timeout_s=timeout_s,
        owner=Owner(asked.session.key.platform.value, asked.session.key.workspace, asked.person),
        session=name_for_engine(asked.session),
        prefix_ids=start.token_ids + streamed.token_ids,
    )


def _log_reply(session: Session, written: Written) -> None:
    """Of a reply that nothing delivers; the others have their line when they are delivered."""
    timings, tokens = written.completion.timings, written.completion.best.token_ids
    told = {
        "action": "reply",
        "session": session.id,
        "model": written.model,
        "tokens": len(tokens),
        "prompt_tokens": len(written.prompt.token_ids),
        "prefilled_tokens": timings.prefilled_tokens,
        "finish_reason": written.finish_reason,
        "first_token_s": round(timings.first_token_s, 3),
        "total_s": round(timings.total_s, 3),
    }
    logger.info("replied", extra=told)


def _written(question: Turn, voice: Voice, prompt: Prompt, start: ReplyStart, drawn: Drawn) -> Written:
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
        candidates=tuple(_kept(one, drawn) for one in drawn.completion.candidates),
    )
    added = drawn.text[len(start.text) :]
    whole = record if drawn.text else None
    return Written(whole, drawn.finish_reason, drawn.completion, prompt, voice.model.name, added)


def _kept(candidate: Candidate, drawn: Drawn) -> CandidateRecord:
    return CandidateRecord(
        text=candidate.text,
        token_ids=candidate.token_ids,
        finish_reason=candidate.finish_reason,
        log_probability=candidate.log_probability,
        is_chosen=candidate is drawn.completion.best,
    )


def _last_reply(turns: Sequence[Turn]) -> list[str]:
    return next(([turn.text] for turn in reversed(turns) if turn.role is Role.ASSISTANT), [])


def name_for_engine(session: Session) -> str:
    """The same in every program that shares the database, and another one in every other database and session."""
    told = "\0".join((*session.key.words, str(session.id), str(session.created_at.timestamp())))
    return blake2s(told.encode(), digest_size=16).hexdigest()
