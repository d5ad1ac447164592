"""A backend that says what it is told to: the second implementation of `Backend`."""

from collections.abc import AsyncGenerator, Sequence

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


class ScriptedBackend:
    """Gives the next of `replies` to every request, word by word; the requests can be looked at."""

    def __init__(self, *replies: str) -> None:
        self.requests: list[GenerationRequest] = []
        self._replies = list(replies)
        self._cancelled: set[str] = set()
        self._expired = False

    def expire(self) -> None:
        """From now on every deadline is over at once."""
        self._expired = True

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        said = ""
        yield Waiting(position=1)
        if self._expired:
            yield _completion("", FinishReason.DEADLINE)
            return
        for word in self._replies.pop(0).split(" "):
            if request.id in self._cancelled:
                yield _completion(said, FinishReason.CANCELLED)
                return
            piece = f" {word}" if said else word
            said += piece
            yield Piece(piece, (len(said),))
        yield _completion(said, FinishReason.STOP)

    async def cancel(self, request_id: str) -> None:
        self._cancelled.add(request_id)

    async def score(self, model: ModelSpec, pairs: Sequence[ScorePair], timeout_s: float = 300.0) -> list[float]:
        return [float(-len(pair.continuation_ids)) for pair in pairs]

    async def aclose(self) -> None: ...


def _completion(text: str, reason: FinishReason) -> Completion:
    return Completion((Candidate(text, (), reason, -1.0),), Timings(), seed=1)
