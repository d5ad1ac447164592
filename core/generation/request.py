"""What is asked of a backend and what it gives back. Values only; no torch, no text of a platform."""

import secrets
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from core.dialogue import FinishReason


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How the next token is chosen. The defaults draw from the model's own distribution, unchanged.

    Steps in order: repetition penalty, n-gram and word bans, temperature, top-k, top-p, min-p, typical-p.
    """

    #: 0 is greedy: the likeliest token, always.
    temperature: float = 1.0
    #: Keep the k likeliest tokens; 0 keeps all.
    top_k: int = 0
    #: Keep the smallest set of tokens whose probability reaches p; 1 keeps all.
    top_p: float = 1.0
    #: Keep tokens at least this likely, relative to the likeliest; 0 keeps all.
    min_p: float = 0.0
    #: Keep the tokens of the most typical information content up to mass p; 1 keeps all.
    typical_p: float = 1.0
    #: Above 1, tokens of the prompt and the reply become less likely (Keskar et al. 2019, arXiv 1909.05858).
    repetition_penalty: float = 1.0
    #: No sequence of n tokens comes twice, the prompt included; 0 allows all.
    no_repeat_ngram: int = 0
    #: Texts that are not drawn as they are spelled, nor after a space; other tokens may still spell one.
    bad_words: tuple[str, ...] = ()
    #: Texts that end the reply; they are not part of it.
    stop: tuple[str, ...] = ()
    min_new_tokens: int = 0
    max_new_tokens: int = 256
    #: The same seed draws the same tokens; None takes a fresh one for each request.
    seed: int | None = None
    #: Hypotheses drawn for one prompt. Only a single one is streamed.
    candidates: int = 1


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as the engine needs it: files on this machine's disk and how to load them."""

    name: str
    #: Holds config.json and the weights.
    folder: str
    #: "auto" (float32 on a CPU, bfloat16 on a GPU), "float32", "float16", "bfloat16", "float64", or "int8" (CPU only:
    #: the linear layers' weights as 8-bit numbers, everything else in float32).
    dtype: str = "auto"
    #: Runs Python code that comes with the model; only ever set by the operator.
    trust_remote_code: bool = False
    #: A folder with a LoRA adapter (PEFT's format) that is laid over the model; "" is the model as it is.
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose request it is; the queue is fair between platforms, then workspaces, then people."""

    platform: str = ""
    workspace: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One turn as a chat API names it: role is "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is given: token ids, and the same as messages for a server that has its own template."""

    token_ids: tuple[int, ...]
    messages: tuple[PromptMessage, ...] = ()
    #: So many tokens at its start are the persona's, and the same in every session of that persona.
    persona_tokens: int = 0
    #: The oldest turn in it; the next prompt of this dialogue starts there too while it fits.
    start_turn_id: int | None = None
    #: How many turns it holds.
    turns: int = 0
    #: What a person should know: which part of an over-long message was left out. "" when nothing was.
    note: str = ""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    model: ModelSpec
    prompt: Prompt
    sampling: SamplingParams
    #: Tokens that end a reply (end of text, end of turn).
    stop_ids: frozenset[int]
    #: Seconds from submission to the end of the reply; then it finishes as `deadline`.
    timeout_s: float = 300.0
    owner: Owner = Owner()
    #: Whose KV may be kept for the next turn.
    session: str = ""
    #: Higher goes first.
    priority: int = 0
    #: Tokens already streamed to a person: the reply goes on after them.
    prefix_ids: tuple[int, ...] = ()
    id: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing to read yet: a model is loading or others are before this request."""

    #: Requests before this one; 0 when it is next.
    position: int = 0
    #: Seconds until it starts, as far as that can be told; 0 where it can't.
    expected_wait_s: float = 0.0
    #: The model that is being loaded, or "".
    loading: str = ""
    #: How much of it is loaded, 0 to 1.
    fraction: float = 0.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A few characters of the reply, never half of one, with the tokens that they came from."""

    text: str
    token_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One hypothesis for a reply."""

    text: str
    #: Without the token that ended it.
    token_ids: tuple[int, ...]
    finish_reason: FinishReason
    #: Sum of the log probabilities (nats) of its tokens under the model before any sampling setting.
    log_probability: float


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds, and tokens prefilled."""

    queue_s: float = 0.0
    first_token_s: float = 0.0
    total_s: float = 0.0
    prefilled_tokens: int = 0

    def waited(self, queue_s: float) -> "Timings":
        """The same after so long in a queue."""
        return replace(self, queue_s=queue_s)


@dataclass(frozen=True, slots=True)
class Completion:
    """The last event of every request, exactly once."""

    candidates: tuple[Candidate, ...]
    timings: Timings
    #: The seed that was used, also where none was asked for.
    seed: int

    @property
    def best(self) -> Candidate:
        return self.candidates[0]


Event = Waiting | Piece | Completion


@dataclass(frozen=True, slots=True)
class ScorePair:
    """Asks for log P(continuation | prefix)."""

    prefix_ids: tuple[int, ...]
    continuation_ids: tuple[int, ...]


class Backend(Protocol):
    """Where replies are generated."""

    def submit(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        """Streams the reply; the last event is a `Completion`. Closing the stream cancels the request.

        Raises GenerationError where no completion can be had, ModelError where the model can't be loaded.
        """
        ...

    async def cancel(self, request_id: str) -> None:
        """Ends a request in any state; its stream still ends with a `Completion` (`cancelled`)."""
        ...

    async def score(self, model: ModelSpec, pairs: Sequence[ScorePair], timeout_s: float = 300.0) -> list[float]:
        """Log probability (nats) of each continuation after its prefix."""
        ...

    async def aclose(self) -> None: ...
