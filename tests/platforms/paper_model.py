"""A model that answers every question in words of its own, goes on where it was interrupted, and does as it is told."""

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence

from core.dialogue import FinishReason
from core.generation.request import (
    Candidate,
    Completion,
    Event,
    GenerationRequest,
    ModelSpec,
    Piece,
    ScorePair,
    Timings,
    Waiting,
)


def answer_to(question: str, words: int = 3) -> str:
    """No two words of it are the same."""
    name = re.sub(r"\W+", "", question)
    return " ".join([f"About {name}:", *(f"{name}-{number}" for number in range(words))])


class PaperModel:
    """Implements `Backend`. One token is one word."""

    def __init__(self, answer: Callable[[str], str] = answer_to, pace_s: float = 0.0) -> None:
        self.requests: list[GenerationRequest] = []
        #: Raised instead of the next replies.
        self.failures: deque[Exception] = deque()
        #: Said before the first word, until `go` is called.
        self.waits: list[Waiting] = []
        self.most_at_once = 0
        self._answer = answer
        self._pace_s = pace_s
        #: Request → set when it may go on.
        self._running: dict[str, asyncio.Event] = {}
        self._cancelled: set[str] = set()
        #: So many words are written before `go`; None where nothing is held.
        self._hold_after: int | None = None
        self._interruption: Exception | None = None

    def hold(self, *waits: Waiting, after_words: int = 0) -> None:
        """Every reply stops there until `go`."""
        self.waits, self._hold_after = list(waits), after_words

    def interrupt(self, error: Exception) -> None:
        """What is held ends with an error."""
        self._interruption = error
        for going in self._running.values():
            going.set()

    def go(self) -> None:
        self.waits, self._hold_after = [], None
        for going in self._running.values():
            going.set()

    def asked(self) -> list[str]:
        """The questions in the order in which they came to the model."""
        return [_question(request) for request in self.requests]

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        self._running[request.id] = asyncio.Event()
        self.most_at_once = max(self.most_at_once, len(self._running))
        try:
            if self.failures:
                raise self.failures.popleft()
            for waiting in self.waits:
                yield waiting
            async for event in self._write(request):
                yield event
        finally:
            del self._running[request.id]

    async def _write(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        words = self._answer(_question(request)).split(" ")
        done = len(request.prefix_ids)
        for number, word in enumerate(words[done:], start=done):
            if self._hold_after is not None and number >= self._hold_after:
                await self._running[request.id].wait()
                self._end_early()
            if request.id in self._cancelled:
                yield _completion(words[:number], FinishReason.CANCELLED)
                return
            yield Piece(f" {word}" if number else word, (number + 1,))
            await asyncio.sleep(self._pace_s)
        yield _completion(words, FinishReason.STOP)

    def _end_early(self) -> None:
        error, self._interruption = self._interruption, None
        if error is not None:
            raise error

    async def cancel(self, request_id: str) -> None:
        self._cancelled.add(request_id)
        if request_id in self._running:
            self._running[request_id].set()

    async def score(self, model: ModelSpec, pairs: Sequence[ScorePair], timeout_s: float = 300.0) -> list[float]:
        return [0.0 for _ in pairs]

    async def aclose(self) -> None: ...


def _question(request: GenerationRequest) -> str:
    return request.prompt.messages[-1].content


def _completion(words: Sequence[str], reason: FinishReason) -> Completion:
    best = Candidate(" ".join(words), tuple(range(1, len(words) + 1)), reason, -1.0)
    return Completion((best,), Timings(), seed=1)
