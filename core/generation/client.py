"""The bots' side of the engine: requests out, text back.

One connection carries all requests of this process. A request keeps its prompt and the tokens that were streamed, so
that it goes on in a new engine when the old one is lost. No torch here.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from core import errors
from core.dialogue import FinishReason
from core.errors import DeadlineExceeded, EngineUnavailable
from core.generation.launcher import EngineProcess
from core.generation.link import EngineLost, Link
from core.generation.messages import (
    LOAD_TIMEOUT_S,
    Answer,
    Cancel,
    Failed,
    Finished,
    Hypothesis,
    Load,
    Loaded,
    Progress,
    Score,
    Scores,
    Submit,
    Tokens,
)
from core.generation.reply_text import ReplyText
from core.generation.request import (
    Completion,
    Event,
    GenerationRequest,
    ModelSpec,
    ScorePair,
    Timings,
    Waiting,
)
from core.generation.tokenizer import Tokenizer

logger = logging.getLogger(__name__)

#: How often a request is begun in a new engine after the old one was lost.
ENGINE_LOSSES = 2
#: Added to a request's own timeout before the engine is held to be lost: it answers a deadline by itself.
GRACE_S = 30.0
#: How often a connection is tried that an engine ends which is just leaving.
CONNECT_ATTEMPTS = 3


@dataclass(slots=True)
class Running:
    """A request on this side, until its stream ends."""

    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    #: Where it was sent, and what it is called there; None before that.
    link: Link | None = None
    wire_id: str = ""

    def cancel(self) -> None:
        self.cancelled.set()
        if self.link is not None:
            self.link.send(Cancel(id=self.wire_id))


class EngineClient:
    """The `local` backend."""

    def __init__(self, process: EngineProcess, tokenizer_of: Callable[[ModelSpec], Tokenizer]) -> None:
        self._process = process
        self._tokenizer_of = tokenizer_of
        self._connecting: asyncio.Task[Link] | None = None
        self._running: dict[str, Running] = {}

    async def prepare(self, model: ModelSpec) -> AsyncGenerator[Waiting, None]:
        """Loads a model ahead of its first request; yields how far it is. Raises ModelError, EngineUnavailable."""
        load = Load(id="", model=model)
        async with contextlib.aclosing(self._answers(load, Running(), LOAD_TIMEOUT_S)) as answers:
            async for answer in answers:
                if isinstance(answer, Progress):
                    yield _waiting(answer)

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        """See `Backend.submit`."""
        tokenizer = self._tokenizer_of(request.model)
        seed = request.sampling.seed if request.sampling.seed is not None else secrets.randbits(31)
        text = ReplyText(tokenizer, request.sampling.stop, request.prefix_ids)
        running = self._running[request.id] = Running()
        try:
            events = self._survive_losses(_job(request, seed, tokenizer), running, text)
            async with contextlib.aclosing(events):
                async for event in events:
                    yield event
        finally:
            del self._running[request.id]

    async def cancel(self, request_id: str) -> None:
        """See `Backend.cancel`."""
        if request_id in self._running:
            self._running[request_id].cancel()

    async def score(self, model: ModelSpec, pairs: Sequence[ScorePair], timeout_s: float = 300.0) -> list[float]:
        """See `Backend.score`."""
        job = Score(id="", model=model, pairs=tuple(pairs), timeout_s=timeout_s)
        async with contextlib.aclosing(self._answers(job, Running(), timeout_s)) as answers:
            async for answer in answers:
                if isinstance(answer, Scores):
                    return list(answer.log_probabilities)
        raise EngineUnavailable("the engine gave no scores; see engine.log in the data folder")

    async def aclose(self) -> None:
        if self._connecting is None:
            return
        self._connecting.cancel()
        for link in await asyncio.gather(self._connecting, return_exceptions=True):
            if isinstance(link, Link):
                await link.aclose()

    async def _survive_losses(self, job: Submit, running: Running, text: ReplyText) -> AsyncGenerator[Event, None]:
        deadline = time.monotonic() + job.timeout_s
        for remaining in range(ENGINE_LOSSES, -1, -1):
            try:
                async with contextlib.aclosing(self._stream(job, running, text)) as events:
                    async for event in events:
                        yield event
            except EngineLost:
                if not remaining:
                    raise
                logger.warning("the engine was lost; going on in a new one", extra={"action": "engine_lost"})
                left_s = max(deadline - time.monotonic(), 0.0)
                job = job.model_copy(update={"prefix_ids": text.token_ids, "timeout_s": left_s})
            else:
                return

    async def _stream(self, job: Submit, running: Running, text: ReplyText) -> AsyncGenerator[Event, None]:
        async with contextlib.aclosing(self._answers(job, running, job.timeout_s)) as answers:
            async for answer in answers:
                if isinstance(answer, Progress):
                    yield _waiting(answer)
                elif isinstance(answer, Tokens):
                    piece = text.push(answer.token_ids)
                    if piece is not None:
                        yield piece
                    if text.stopped:  # the engine knows no text: it is told, and its last word awaited
                        running.cancel()
                elif isinstance(answer, Finished) and len(answer.hypotheses) == 1:
                    rest = text.finish()
                    if rest is not None:
                        yield rest
                    only = answer.hypotheses[0]
                    candidate = text.candidate(only.finish_reason, only.log_probability)
                    yield Completion((candidate,), answer.timings, job.seed)
                elif isinstance(answer, Finished):
                    yield Completion(tuple(text.read(each) for each in answer.hypotheses), answer.timings, job.seed)

    async def _answers(
        self, job: Load | Submit | Score, running: Running, timeout_s: float
    ) -> AsyncGenerator[Answer, None]:
        """All answers to a job; the last one is terminal. Leaving early cancels it.

        Raises EngineLost; the errors that the engine names; DeadlineExceeded when it stays silent.
        """
        link = await self._link(running.cancelled)
        if link is None:
            yield _never_sent(job)
            return
        running.link, running.wire_id = link, secrets.token_hex(8)
        answers = link.open(running.wire_id)
        link.send(job.model_copy(update={"id": running.wire_id}))
        give_up_at = time.monotonic() + timeout_s + GRACE_S
        finished = False
        try:
            while not finished:
                answer = await _before(give_up_at, answers.get())
                finished = answer is None or isinstance(answer, Loaded | Finished | Scores | Failed)
                if answer is None:
                    raise EngineLost
                if isinstance(answer, Failed):
                    raise _error(answer)
                yield answer
        finally:
            running.link = None
            link.close(running.wire_id)
            if not finished:
                link.send(Cancel(id=running.wire_id))

    async def _link(self, cancelled: asyncio.Event) -> Link | None:
        """The connection, made anew where it was lost; None when the request was cancelled before."""
        if self._connecting is None or _is_lost(self._connecting):
            self._connecting = asyncio.create_task(self._connect())
        stop = asyncio.create_task(cancelled.wait())
        try:
            await asyncio.wait([self._connecting, stop], return_when=asyncio.FIRST_COMPLETED)
            return None if cancelled.is_set() else self._connecting.result()
        finally:
            stop.cancel()

    async def _connect(self) -> Link:
        for _ in range(CONNECT_ATTEMPTS - 1):
            with contextlib.suppress(EngineLost):
                return await Link.over(await self._process.connect())
        return await Link.over(await self._process.connect())


def _is_lost(connecting: asyncio.Task[Link]) -> bool:
    if not connecting.done():
        return False
    return connecting.cancelled() or connecting.exception() is not None or connecting.result().lost


def _never_sent(job: Load | Submit | Score) -> Answer:
    if not isinstance(job, Submit):
        return Loaded(id=job.id)
    nothing = Hypothesis(token_ids=job.prefix_ids, finish_reason=FinishReason.CANCELLED, log_probability=0.0)
    return Finished(id=job.id, hypotheses=(nothing,) * job.sampling.candidates, timings=Timings())


async def _before(give_up_at: float, answer: Awaitable[Answer | None]) -> Answer | None:
    try:
        return await asyncio.wait_for(answer, give_up_at - time.monotonic())
    except TimeoutError:
        raise DeadlineExceeded("the engine stayed silent past the request's deadline; see engine.log") from None


def _job(request: GenerationRequest, seed: int, tokenizer: Tokenizer) -> Submit:
    return Submit(
        id="",
        model=request.model,
        prompt_ids=request.prompt.token_ids,
        prefix_ids=request.prefix_ids,
        sampling=request.sampling,
        seed=seed,
        stop_ids=request.stop_ids,
        banned=_banned(request.sampling.bad_words, tokenizer),
        timeout_s=request.timeout_s,
    )


def _banned(words: Sequence[str], tokenizer: Tokenizer) -> tuple[tuple[int, ...], ...]:
    """A word at the start of a text and one after a space are different tokens."""
    spellings = [spelling for word in words for spelling in (word, f" {word}")]
    return tuple(dict.fromkeys(tuple(tokenizer.encode_data(spelling)) for spelling in spellings if spelling.strip()))


def _waiting(progress: Progress) -> Waiting:
    return Waiting(position=progress.position, loading=progress.loading, fraction=progress.fraction)


def _error(failed: Failed) -> errors.BanterError:
    """The engine's error as the same error on this side."""
    kind = getattr(errors, failed.error, None)
    if isinstance(kind, type) and issubclass(kind, errors.BanterError):
        return kind(failed.reason)
    return errors.RequestFailed(failed.reason)
