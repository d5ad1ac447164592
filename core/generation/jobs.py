"""What the server knows of each client's request, from its arrival to its last answer."""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from core.generation.messages import Answer, Finished, Load, Score, Submit
from core.generation.request import ModelSpec, Timings

#: The client's connection, and how that client calls its request.
JobKey = tuple[asyncio.StreamWriter, str]
#: Tokens of a prompt that take as long as one of a reply, about: they are read many at a time.
_PROMPT_TOKENS_PER_STEP = 4


@dataclass(eq=False, slots=True)
class Job:
    """A client's request on its way through the engine's process."""

    key: JobKey
    #: What the engine calls it: clients choose their ids each for themselves.
    engine_id: str
    message: Load | Submit | Score
    #: Ends it at its deadline.
    expiry: asyncio.TimerHandle
    #: Writes to the client.
    answer: Callable[[Answer], None]
    arrived_at: float = field(default_factory=time.monotonic)
    #: What the client heard last of its place in the queue.
    position: int = 0

    @property
    def places(self) -> int:
        """Of the places of its model, how many it takes: what is only loaded takes none."""
        if isinstance(self.message, Load):
            return 0
        return self.message.sampling.candidates if isinstance(self.message, Submit) else 1

    @property
    def model(self) -> ModelSpec:
        """Whose places these are: all adapters of a model share them."""
        return replace(self.message.model, adapter="")

    @property
    def priority(self) -> int:
        return 0 if isinstance(self.message, Load) else self.message.priority

    @property
    def alone(self) -> bool:
        return not isinstance(self.message, Load) and self.message.alone

    @property
    def cost(self) -> float:
        """What it takes of the engine, in tokens of a reply."""
        message = self.message
        if isinstance(message, Submit):
            left = max(message.sampling.max_new_tokens - len(message.prefix_ids), 0)
            return left * message.sampling.candidates + len(message.prompt_ids) / _PROMPT_TOKENS_PER_STEP
        if isinstance(message, Score):
            tokens = sum(len(pair.prefix_ids) + len(pair.continuation_ids) for pair in message.pairs)
            return tokens / _PROMPT_TOKENS_PER_STEP
        return 0.0

    def forget(self, sessions: Collection[str]) -> None:
        """See `Forget`."""
        if isinstance(self.message, Submit):
            self.message = self.message.forgotten(sessions)

    def tell(self, answer: Answer) -> None:
        """Passes an answer of the engine on, under the client's own name for it."""
        changes: dict[str, str | Timings] = {"id": self.message.id}
        if isinstance(answer, Finished):
            # Also for its model, and for a slot there.
            waited_s = time.monotonic() - self.arrived_at - answer.timings.total_s
            changes["timings"] = answer.timings.waited(max(waited_s, 0.0))
        self.answer(answer.model_copy(update=changes))
