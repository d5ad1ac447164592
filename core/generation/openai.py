"""The `openai` backend: replies from any server that follows OpenAI's streaming format (vLLM, llama.cpp, Ollama, …).

What fails before a word was shown is tried again. After that the reply is only ever gone on with, where the server can
do that: a person never reads a second beginning. Tokens are this side's: the server streams text, and the ids of a
reply are those that the persona's tokenizer makes of it. A log probability is 0 unless the server tells it: then all
candidates tie.
"""

import asyncio
import contextlib
import itertools
import logging
import random
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence

from core.dialogue import FinishReason
from core.errors import BanterError, DeadlineExceeded, EngineUnavailable, RequestFailed
from core.generation.interruption import Interrupted, Interruption
from core.generation.openai_errors import TryAgain, lost
from core.generation.openai_request import OpenAIOptions, request_body, unsaid
from core.generation.openai_scores import score_body, scores_of
from core.generation.openai_server import OpenAIServer
from core.generation.openai_stream import Choice, ServedModel, ServedReply
from core.generation.openai_writing import Writing
from core.generation.places import Places
from core.generation.request import Event, GenerationRequest, ModelSpec, Owner, Piece, ScorePair
from core.generation.tokenizer import Tokenizer

logger = logging.getLogger(__name__)

_LONGEST_BACKOFF_S = 8.0
#: Pairs that are scored in one request.
_SCORED_TOGETHER = 16


class OpenAIBackend:
    """See `Backend`."""

    def __init__(self, options: OpenAIOptions, tokenizer_of: Callable[[ModelSpec], Tokenizer]) -> None:
        self._options = options
        self._tokenizer_of = tokenizer_of
        self._server = OpenAIServer(options)
        self._places = Places(options.parallel_requests, options.queue)
        self._running: dict[str, Interruption] = {}
        #: What was said in the log already.
        self._said: set[str] = set()
        self._random = random.SystemRandom()

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        """See `Backend.submit`."""
        if request.id in self._running:
            raise ValueError(f"two open requests with the id {request.id}")
        writing = self._begin(request)
        self._running[request.id] = writing.interruption
        reason, shown = FinishReason.LENGTH, len(writing.replies[0].text)
        try:
            if len(request.prefix_ids) < request.sampling.max_new_tokens:
                async with contextlib.aclosing(writing.interruption.over(self._carry_out(writing))) as events:
                    async for event in events:
                        shown += len(event.text) if isinstance(event, Piece) else 0
                        yield event
        except Interrupted as interrupted:
            reason = interrupted.reason
        finally:
            del self._running[request.id]
        for reply in writing.replies:
            reply.finish()
        rest = writing.replies[0].text[shown:]
        if writing.is_streamed and rest:
            yield writing.piece(rest)
        yield writing.completion(reason)

    async def cancel(self, request_id: str) -> None:
        """See `Backend.cancel`."""
        if request_id in self._running:
            self._running[request_id].cancel()

    async def score(self, model: ModelSpec, pairs: Sequence[ScorePair], timeout_s: float = 300.0) -> list[float]:
        """See `Backend.score`. It needs a server that gives the log probabilities of a prompt, as vLLM does."""
        place = self._places.ask(Owner(), cost=sum(len(pair.continuation_ids) for pair in pairs))
        deadline = time.monotonic() + timeout_s
        scores: list[float] = []
        try:
            async with asyncio.timeout(timeout_s):
                await _exhaust(self._places.entered(place))
                for start in range(0, len(pairs), _SCORED_TOGETHER):
                    scores += await self._score(model, pairs[start : start + _SCORED_TOGETHER], deadline)
        except TimeoutError:
            raise DeadlineExceeded(f"no scores came within {timeout_s:g} s; score fewer texts at once") from None
        finally:
            self._places.leave(place, cost=0)
        return scores

    async def models(self) -> tuple[ServedModel, ...]:
        """What the server has. Raises GenerationError where it can't be asked."""
        try:
            return await self._server.models()
        except TryAgain as trouble:
            raise trouble.error from None

    async def aclose(self) -> None:
        for interruption in self._running.values():
            interruption.cancel()
        await self._server.aclose()

    def _begin(self, request: GenerationRequest) -> Writing:
        tokenizer = self._tokenizer_of(request.model)
        if request.prefix_ids and not self._options.can_continue:
            raise RequestFailed(
                'a chat at this server can\'t go on with a reply that was begun; set `openai.mode = "completions"`, '
                'or name "assistant_prefill" or "continue_final_message" in `openai.extensions` if the server knows it'
            )
        for missing in unsaid(self._options, request.sampling, tokenizer):
            self._say_once(missing)
        prefix = tokenizer.decode(request.prefix_ids)
        seed = request.sampling.seed if request.sampling.seed is not None else secrets.randbits(31)
        replies = [ServedReply(request.sampling.stop, prefix) for _ in range(request.sampling.candidates)]
        return Writing(request, tokenizer, seed, Interruption(request.timeout_s), replies, prefix)

    def _say_once(self, missing: str) -> None:
        if missing not in self._said:
            self._said.add(missing)
            logger.warning("the server is not told of %s", missing, extra={"action": "setting_unsaid"})

    async def _carry_out(self, writing: Writing) -> AsyncGenerator[Event, None]:
        request = writing.request
        place = self._places.ask(request.owner, cost=request.sampling.max_new_tokens, priority=request.priority)
        try:
            async with contextlib.aclosing(self._places.entered(place)) as waits:
                async for waiting in waits:
                    yield waiting
            writing.queue_s = writing.running_s
            async with contextlib.aclosing(self._write_all(writing)) as texts:
                async for text in texts:
                    yield writing.piece(text)
        finally:
            if not place.taken:
                writing.queue_s = writing.running_s
            written = sum(len(writing.begun(reply).token_ids) for reply in writing.replies)
            self._places.leave(place, cost=written)

    async def _write_all(self, writing: Writing) -> AsyncGenerator[str, None]:
        """What can be shown of the only candidate; of several nothing is."""
        if writing.is_streamed:
            async with contextlib.aclosing(self._write(writing, writing.replies, writing.seed)) as texts:
                async for text in texts:
                    yield text
        elif "n" in self._options.extensions:
            await _exhaust(self._write(writing, writing.replies, writing.seed))
        else:
            seeds = itertools.count(writing.seed)
            await _together([self._write(writing, [reply], next(seeds)) for reply in writing.replies])

    async def _write(self, writing: Writing, replies: Sequence[ServedReply], seed: int) -> AsyncGenerator[str, None]:
        """One request to the server, over failures that may pass."""
        for failures in itertools.count():
            try:
                async with contextlib.aclosing(self._write_on(writing, replies, seed)) as texts:
                    async for text in texts:
                        yield text
            except TryAgain as trouble:
                if all(reply.ended for reply in replies):
                    return
                self._begin_again(writing, replies, trouble)
                await self._back_off(trouble, failures, writing.interruption.deadline)
            except EngineUnavailable:
                if not all(reply.ended for reply in replies):
                    raise
                return  # it was silent after all was said
            else:
                return

    async def _write_on(self, writing: Writing, replies: Sequence[ServedReply], seed: int) -> AsyncGenerator[str, None]:
        begun, sampling = writing.begun(replies[0]), writing.request.sampling
        if len(begun.token_ids) >= sampling.max_new_tokens:
            return
        body = request_body(self._options, writing.request, writing.tokenizer, seed, begun, len(replies))
        async with contextlib.aclosing(self._server.stream(self._options.path, body)) as chunks:
            async for chunk in chunks:
                if chunk is None:
                    _end(replies)
                    return
                if chunk.usage is not None:
                    writing.prefilled_tokens = chunk.usage.prefilled_tokens
                for choice in chunk.choices:
                    writing.first_token_s = writing.first_token_s or (writing.running_s if choice.written else 0.0)
                    text = _take(replies, choice)
                    if text:
                        yield text
                if all(reply.stopped for reply in replies):
                    return
        if not all(reply.ended for reply in replies):
            raise lost(self._options.base_url, "the stream ended before the reply did")

    def _begin_again(self, writing: Writing, replies: Sequence[ServedReply], trouble: TryAgain) -> None:
        """Makes the replies ready for another request. Raises EngineUnavailable where that would contradict them."""
        if not (writing.is_streamed and replies[0].shown):
            for reply in replies:
                reply.restart()
        elif not self._options.can_continue:
            raise EngineUnavailable(f"{trouble.error}; the reply breaks off here: ask again") from None

    async def _back_off(self, trouble: TryAgain, failures: int, deadline: float) -> None:
        """Raises the trouble's error where it is not to be tried again."""
        backoff_s = min(self._options.backoff_s * 2**failures, _LONGEST_BACKOFF_S) * self._random.uniform(0.5, 1.0)
        wait_s = backoff_s if trouble.after_s is None else trouble.after_s
        if failures >= self._options.retries or time.monotonic() + wait_s >= deadline:
            raise trouble.error from None
        told = {"action": "retry", "failure": type(trouble.error).__name__, "wait_s": round(wait_s, 3)}
        logger.warning("the server is asked again", extra=told)
        await asyncio.sleep(wait_s)

    async def _score(self, model: ModelSpec, pairs: Sequence[ScorePair], deadline: float) -> list[float]:
        body = score_body(self._options.model or model.name, pairs)
        failures = 0
        while True:
            try:
                return scores_of(await self._server.post("completions", body), pairs, self._options.base_url)
            except TryAgain as trouble:
                await self._back_off(trouble, failures, deadline)
                failures += 1


def _take(replies: Sequence[ServedReply], choice: Choice) -> str:
    return replies[choice.index].take(choice) if choice.index < len(replies) else ""


def _end(replies: Sequence[ServedReply]) -> None:
    """The server says that this was all. Raises RequestFailed where it wrote fewer candidates than were asked for."""
    if len(replies) > 1 and not all(reply.seen for reply in replies):
        raise RequestFailed('the server draws one candidate at a time; take "n" out of `openai.extensions`')
    for reply in replies:
        reply.finish_reason = reply.finish_reason or FinishReason.STOP


async def _exhaust(items: AsyncGenerator[object, None]) -> None:
    async with contextlib.aclosing(items):
        async for _ in items:
            pass


async def _together(writings: Sequence[AsyncGenerator[str, None]]) -> None:
    """The first error ends them all."""
    try:
        async with asyncio.TaskGroup() as group:
            for texts in writings:
                group.create_task(_exhaust(texts))
    except BaseExceptionGroup as failed:
        raise next((each for each in failed.exceptions if isinstance(each, BanterError)), failed) from None
