"""A request as the engine is asked for it, and the engine's answers as the events that a person can be shown."""

import secrets
from collections.abc import Iterator, Sequence

from core.dialogue import FinishReason
from core.generation.messages import Answer, Finished, Progress, Submit, Tokens
from core.generation.open_request import OpenRequest
from core.generation.reply_text import ReplyText
from core.generation.request import Candidate, Completion, Event, GenerationRequest, Timings, Waiting
from core.generation.tokenizer import Tokenizer


class ReplyStream:
    """It keeps the prompt and the tokens that came, so that the request can go on in another engine."""

    def __init__(self, request: GenerationRequest, tokenizer: Tokenizer) -> None:
        seed = request.sampling.seed
        self._seed = secrets.randbits(31) if seed is None else seed
        self._submit = _submit(request, self._seed, tokenizer)
        self._text = ReplyText(tokenizer, request.sampling.stop, request.prefix_ids)

    @property
    def stopped(self) -> bool:
        """Whether a stop string was written: the rest is not wanted."""
        return self._text.stopped

    def job(self, request: OpenRequest) -> Submit:
        """What is left to do."""
        now = {"prefix_ids": self._text.token_ids, "timeout_s": request.left_s, "alone": request.alone}
        return self._submit.model_copy(update=now)

    def read(self, answer: Answer) -> Iterator[Event]:
        match answer:
            case Progress():
                yield waiting(answer)
            case Tokens():
                piece = self._text.push(answer.token_ids)
                if piece is not None:
                    yield piece
            case Finished(hypotheses=[only]):
                yield from self._finish(only.finish_reason, only.log_probability, answer.timings)
            case Finished():
                candidates = tuple(self._text.read(each) for each in answer.hypotheses)
                yield Completion(candidates, answer.timings, self._seed)

    def end(self, reason: FinishReason, timings: Timings) -> Iterator[Event]:
        """The end without the engine's word: what was streamed stands."""
        count = self._submit.sampling.candidates
        if count == 1:
            yield from self._finish(reason, 0.0, timings)
        else:
            yield Completion((Candidate("", (), reason, 0.0),) * count, timings, self._seed)

    def _finish(self, reason: FinishReason, log_probability: float, timings: Timings) -> Iterator[Event]:
        rest = self._text.finish()
        if rest is not None:
            yield rest
        yield Completion((self._text.candidate(reason, log_probability),), timings, self._seed)


def waiting(progress: Progress) -> Waiting:
    return Waiting(
        position=progress.position,
        expected_wait_s=progress.expected_wait_s,
        loading=progress.loading,
        fraction=progress.fraction,
    )


def _submit(request: GenerationRequest, seed: int, tokenizer: Tokenizer) -> Submit:
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
        owner=request.owner,
        priority=request.priority,
        session=request.session,
        persona_tokens=request.prompt.persona_tokens,
    )


def _banned(words: Sequence[str], tokenizer: Tokenizer) -> tuple[tuple[int, ...], ...]:
    """A word at the start of a text and one after a space are different tokens."""
    spellings = [spelling for word in words for spelling in (word, f" {word}")]
    return tuple(dict.fromkeys(tuple(tokenizer.encode_data(spelling)) for spelling in spellings if spelling.strip()))
