"""A hypothesis while it is written: its tokens, and what its settings need to know of them.

It knows tokens and neither logits nor slots' contents.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from core.dialogue import FinishReason
from core.generation.messages import Hypothesis, Submit
from core.generation.request import SamplingParams
from core.generation.slots import Slot


@dataclass(frozen=True, slots=True)
class Choice:
    token_id: int
    #: Natural log of the model's own probability, before any setting; NaN where its logits held one.
    log_probability: float


@dataclass(eq=False, slots=True)
class Row:
    """What a hypothesis' next token depends on, besides its logits."""

    params: SamplingParams
    seed: int
    #: Which of the request's hypotheses this is.
    candidate: int
    #: Prompt and reply so far; `append` lets it grow.
    context_ids: list[int]
    #: How many tokens of `context_ids` are the reply's.
    new_tokens: int
    stop_ids: frozenset[int]
    #: `SamplingParams.bad_words` as token ids.
    banned: tuple[tuple[int, ...], ...] = ()
    _seen: dict[int, None] = field(default_factory=dict)
    #: The tokens that followed each n − 1 tokens so far.
    _followers: defaultdict[tuple[int, ...], set[int]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        if self.params.repetition_penalty != 1:
            self._seen = dict.fromkeys(self.context_ids)
        for end in range(self.params.no_repeat_ngram, len(self.context_ids) + 1):
            self._note_ngram(end)

    def append(self, token_id: int) -> None:
        self.context_ids.append(token_id)
        self.new_tokens += 1
        if self.params.repetition_penalty != 1:
            self._seen[token_id] = None
        self._note_ngram(len(self.context_ids))

    @property
    def penalised(self) -> Collection[int]:
        """The tokens that a repetition penalty is about."""
        return self._seen

    def forbidden(self) -> set[int]:
        """The tokens that must not come next."""
        forbidden = self._repeating() | self._completing()
        if self.new_tokens < self.params.min_new_tokens:
            forbidden |= self.stop_ids
        return forbidden

    def _note_ngram(self, end: int) -> None:
        size = self.params.no_repeat_ngram
        if size and end >= size:
            self._followers[tuple(self.context_ids[end - size : end - 1])].add(self.context_ids[end - 1])

    def _repeating(self) -> set[int]:
        """The tokens that would complete an n-gram for the second time."""
        size = self.params.no_repeat_ngram
        if not size:
            return set()
        return self._followers.get(tuple(self.context_ids[len(self.context_ids) - size + 1 :]), set())

    def _completing(self) -> set[int]:
        """The last tokens of banned sequences whose beginning has just been written."""
        reply = self.context_ids[len(self.context_ids) - self.new_tokens :] if self.banned else ()
        return {sequence[-1] for sequence in self.banned if _ends_with(reply, sequence[:-1])}


@dataclass(eq=False, slots=True)
class Writing:
    """A hypothesis on its way through slots."""

    row: Row
    #: Whose next turn its slot's keys and values are kept for; "" is nobody's.
    keep_as: str
    prompt_length: int
    slot: Slot | None = None
    finish_reason: FinishReason | None = None
    log_probability: float = 0.0

    @classmethod
    def of(cls, job: Submit, candidate: int) -> "Writing":
        row = Row(
            params=job.sampling,
            seed=job.seed,
            candidate=candidate,
            context_ids=[*job.prompt_ids, *job.prefix_ids],
            new_tokens=len(job.prefix_ids),
            stop_ids=job.stop_ids,
            banned=job.banned,
        )
        return cls(row, kept_session(job) if candidate == 0 else "", len(job.prompt_ids))

    @property
    def token_ids(self) -> list[int]:
        """Prompt and reply."""
        return self.row.context_ids

    @property
    def pending(self) -> int:
        """Tokens whose keys and values its slot does not hold yet."""
        return len(self.token_ids) - (len(self.slot.token_ids) if self.slot else 0)

    def take(self, choice: Choice) -> bool:
        """Adds a token, or ends without it: False."""
        self.log_probability += choice.log_probability
        if choice.token_id in self.row.stop_ids:
            self.finish_reason = FinishReason.STOP
            return False
        self.row.append(choice.token_id)
        if self.row.new_tokens >= self.row.params.max_new_tokens:
            self.finish_reason = FinishReason.LENGTH
        return True

    def hypothesis(self, interruption: FinishReason) -> Hypothesis:
        return Hypothesis(
            token_ids=tuple(self.token_ids[self.prompt_length :]),
            finish_reason=self.finish_reason or interruption,
            log_probability=self.log_probability,
        )


def kept_session(job: Submit) -> str:
    """Whose keys and values it reads and leaves; those of one adapter are of no use to another."""
    return f"{job.session}\0{job.model.adapter}" if job.session and job.model.adapter else job.session


def _ends_with(ids: Sequence[int], end: Sequence[int]) -> bool:
    return len(ids) >= len(end) and tuple(ids[len(ids) - len(end) :]) == tuple(end)
