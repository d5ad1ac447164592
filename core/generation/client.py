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

from core import errors
from core.dialogue import FinishReason
from core.errors import DeadlineExceeded, EngineUnavailable
from core.generation.launcher import EngineProcess
from core.generation.link import Link
from core.generation.messages import (
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
LOAD_TIMEOUT_S = 3600.0


class EngineLost(Exception):
    """The connection ended in the middle of a request."""


class EngineClient:
    """The `local` backend."""

    def __init__(self, process: EngineProcess, tokenizer_of: Callable[[ModelSpec], Tokenizer]) -> None:
        self._process = process
        self._tokenizer_of = tokenizer_of
        self._connecting: asyncio.Task[Link] | None = None
        #: Request → set when it is to be cancelled.
        self._cancelled: dict[str, asyncio.Event] = {}

    async def prepare(self, model: ModelSpec) -> AsyncGenerator[Waiting, None]:
        """Loads a model ahead of its first request; yields how far it is. Raises ModelError, EngineUnavailable."""
        load = Load(id=secrets.token_hex(8), model=model)
        async with contextlib.aclosing(self._answers(load, LOAD_TIMEOUT_S)) as answers:
            async for answer in answers:
                if isinstance(answer, Progress):
                    yield _waiting(answer)

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        """See `Backend.submit`."""
        tokenizer = self._tokenizer_of(request.model)
        seed = request.sampling.seed if request.sampling.seed is not None else secrets.randbits(31)
        text = ReplyText(tokenizer, request.sampling.stop, request.prefix_ids)
        job = _job(request, seed, tokenizer)
        self._cancelled[request.id] = asyncio.Event()
        try:
            async with contextlib.aclosing(self._survive_losses(job, text)) as events:
                async for event in events:
                    yield event
        finally:
            del self._cancelled[request.id]

    async def cancel(self, request_id: str) -> None:
        """See `Backend.cancel`."""
        if request_id in self._cancelled:
            self._cancelled[request_id].set()
            self._send_if_connected(Cancel(id=request_id))

    async def score(self, model: ModelSpec, pairs: Sequence[ScorePair], timeout_s: float = 300.0) -> list[float]:
        """See `Backend.score`."""
        job = Score(id=secrets.token_hex(8), model=model, pairs=tuple(pairs), timeout_s=timeout_s)
        async with contextlib.aclosing(self._answers(job, timeout_s)) as answers:
            async for answer in answers:
                if isinstance(answer, Scores):
                    return list(answer.log_probabilities)
        raise EngineUnavailable("the engine gave no scores; see its log")

    async def aclose(self) -> None:
        if self._connecting is None:
            return
        self._connecting.cancel()
        for link in await asyncio.gather(self._connecting, return_exceptions=True):
            if isinstance(link, Link):
                await link.aclose()

    async def _survive_losses(self, job: Submit, text: ReplyText) -> AsyncGenerator[Event, None]:
        for remaining in range(ENGINE_LOSSES, -1, -1):
            try:
                async with contextlib.aclosing(self._stream(job, text)) as events:
                    async for event in events:
                        yield event
            except EngineLost:
                if not remaining:
                    raise EngineUnavailable("the engine was lost again and again; see its log") from None
                logger.warning("the engine was lost; going on in a new one", extra={"action": "engine_lost"})
                job = job.model_copy(update={"prefix_ids": text.token_ids})
            else:
                return

    async def _stream(self, job: Submit, text: ReplyText) -> AsyncGenerator[Event, None]:
        async with contextlib.aclosing(self._answers(job, job.timeout_s)) as answers:
            async for answer in answers:
                if isinstance(answer, Progress):
                    yield _waiting(answer)
                elif isinstance(answer, Tokens):
                    piece = text.push(answer.token_ids)
                    if piece is not None:
                        yield piece
                    if text.stopped:
                        yield Completion((text.candidate(FinishReason.STOP, 0.0),), Timings(), job.seed)
                        return
                elif isinstance(answer, Finished) and len(answer.hypotheses) == 1:
                    rest = text.finish()
                    if rest is not None:
                        yield rest
                    only = answer.hypotheses[0]
                    candidate = text.candidate(only.finish_reason, only.log_probability)
                    yield Completion((candidate,), answer.timings, job.seed)
                elif isinstance(answer, Finished):
                    yield Completion(tuple(text.read(each) for each in answer.hypotheses), answer.timings, job.seed)

    async def _answers(self, message: Load | Submit | Score, timeout_s: float) -> AsyncGenerator[Answer, None]:
        """All answers to a message; the last one is terminal. Leaving early cancels it.

        Raises EngineLost; the errors that the engine names; DeadlineExceeded when it stays silent.
        """
        link = await self._link(self._cancelled.get(message.id))
        if link is None:
            yield _never_sent(message)
            return
        answers = link.open(message.id)
        link.send(message)
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
            link.close(message.id)
            if not finished:
                link.send(Cancel(id=message.id))

    async def _link(self, cancelled: asyncio.Event | None) -> Link | None:
        """The connection, made anew where it was lost; None when the request was cancelled before."""
        if self._connecting is None or _is_lost(self._connecting):
            self._connecting = asyncio.create_task(self._connect())
        stop = asyncio.create_task((cancelled or asyncio.Event()).wait())
        try:
            await asyncio.wait([self._connecting, stop], return_when=asyncio.FIRST_COMPLETED)
            return None if stop.done() else self._connecting.result()
        finally:
            stop.cancel()

    async def _connect(self) -> Link:
        return await Link.over(await self._process.connect())

    def _send_if_connected(self, message: Cancel) -> None:
        if self._connecting is not None and self._connecting.done() and not _is_lost(self._connecting):
            self._connecting.result().send(message)


def _is_lost(connecting: asyncio.Task[Link]) -> bool:
    if not connecting.done():
        return False
    return connecting.cancelled() or connecting.exception() is not None or connecting.result().lost


def _never_sent(job: Load | Submit | Score) -> Finished:
    if not isinstance(job, Submit):
        raise TypeError("only a submitted request can be cancelled")
    nothing = Hypothesis(token_ids=job.prefix_ids, finish_reason=FinishReason.CANCELLED, log_probability=0.0)
    return Finished(id=job.id, hypotheses=(nothing,) * job.sampling.candidates, timings=Timings())


async def _before(give_up_at: float, answer: Awaitable[Answer | None]) -> Answer | None:
    try:
        return await asyncio.wait_for(answer, give_up_at - time.monotonic())
    except TimeoutError:
        raise DeadlineExceeded("the engine stayed silent past the request's deadline; see its log") from None


def _job(request: GenerationRequest, seed: int, tokenizer: Tokenizer) -> Submit:
    return Submit(
        id=request.id,
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
