"""A request on its way through the engine: its hypotheses, its times, and what it cost."""

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.dialogue import FinishReason
from core.generation.messages import Finished, Submit
from core.generation.request import Timings
from core.generation.writing import Choice, Writing


@dataclass(eq=False, slots=True)
class Request:
    """A job on its way from waiting to finished."""

    job: Submit
    number: int
    writings: list[Writing]
    arrived_at: float = field(default_factory=time.monotonic)
    started_at: float = 0.0
    first_token_at: float = 0.0
    prefilled_tokens: int = 0
    #: The hypotheses have tokens of their own; before that they share one prefill.
    forked: bool = False
    #: Its reader is far behind; it waits until it is told to go on.
    held: bool = False

    @property
    def runs(self) -> bool:
        return any(writing.slot for writing in self.writings)

    @property
    def order(self) -> tuple[int, int]:
        """Higher priority first, then who came first."""
        return -self.job.priority, self.number

    @property
    def unfinished(self) -> list[Writing]:
        return [writing for writing in self.writings if writing.finish_reason is None]

    def remainder(self) -> Submit:
        """The job that goes on from here; several hypotheses begin anew."""
        if len(self.writings) > 1:
            return self.job
        written = self.writings[0].token_ids[self.writings[0].prompt_length :]
        return self.job.model_copy(update={"prefix_ids": tuple(written)})

    def start(self) -> None:
        self.started_at = self.started_at or time.monotonic()

    def is_sound(self, choices: Mapping[Writing, Choice]) -> bool:
        """The model computed numbers."""
        return all(math.isfinite(choices[writing].log_probability) for writing in self.writings if writing in choices)

    def take(self, choices: Mapping[Writing, Choice]) -> tuple[int, ...]:
        """Adds each hypothesis' token; gives what can be streamed, which a single one's can."""
        self.first_token_at = self.first_token_at or time.monotonic()
        taken = [writing.take(choices[writing]) for writing in self.writings if writing in choices]
        return (self.writings[0].token_ids[-1],) if taken == [True] and len(self.writings) == 1 else ()

    def finished(self, interruption: FinishReason) -> Finished:
        now = time.monotonic()
        started_at = self.started_at or now
        return Finished(
            id=self.job.id,
            hypotheses=tuple(writing.hypothesis(interruption) for writing in self.writings),
            timings=Timings(
                queue_s=started_at - self.arrived_at,
                first_token_s=max(self.first_token_at - started_at, 0.0),
                total_s=now - started_at,
                prefilled_tokens=self.prefilled_tokens,
            ),
        )


@dataclass(slots=True)
class TokenCounts:
    """Since a model was loaded."""

    #: Of prompts, read.
    prefilled: int = 0
    #: Of prompts, known from an earlier turn or another session of the persona.
    reused: int = 0
    #: Of replies.
    drawn: int = 0
    #: Forward passes, by the platforms that were in them: "discord slack" is one of both.
    forwards: Counter[str] = field(default_factory=Counter)

    def count_forward(self, requests: Iterable["Request"]) -> None:
        self.forwards[" ".join(sorted({request.job.owner.platform for request in requests}))] += 1
