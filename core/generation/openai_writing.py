"""A request while a server writes its reply: what came of it so far, as the core knows it."""

import time
from dataclasses import dataclass, field

from core.dialogue import FinishReason
from core.generation.interruption import Interruption
from core.generation.openai_request import Begun
from core.generation.openai_stream import ServedReply, encode_after
from core.generation.request import Completion, GenerationRequest, Piece, Timings
from core.generation.tokenizer import Tokenizer


@dataclass(slots=True)
class Writing:
    request: GenerationRequest
    tokenizer: Tokenizer
    seed: int
    interruption: Interruption
    #: One for each candidate.
    replies: list[ServedReply]
    #: What was written before the request came.
    prefix: str
    submitted_at: float = field(default_factory=time.monotonic)
    queue_s: float = 0.0
    first_token_s: float = 0.0
    prefilled_tokens: int = 0

    @property
    def running_s(self) -> float:
        return time.monotonic() - self.submitted_at - self.queue_s

    @property
    def is_streamed(self) -> bool:
        """Several candidates are seen when all of them are there."""
        return len(self.replies) == 1

    def begun(self, reply: ServedReply) -> Begun:
        rest = encode_after(self.tokenizer, reply.received[len(self.prefix) :], inside=bool(self.prefix))
        return Begun(reply.received, self.request.prefix_ids + rest)

    def piece(self, text: str) -> Piece:
        """The newest words of the only candidate."""
        inside = len(self.replies[0].text) > len(text)
        return Piece(text, encode_after(self.tokenizer, text, inside=inside))

    def completion(self, interruption: FinishReason) -> Completion:
        prefix_ids = self.request.prefix_ids
        candidates = tuple(reply.candidate(self.tokenizer, prefix_ids, interruption) for reply in self.replies)
        timings = Timings(self.queue_s, self.first_token_s, self.running_s, self.prefilled_tokens)
        return Completion(candidates, timings, self.seed)
