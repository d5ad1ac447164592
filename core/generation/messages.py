"""What crosses the engine's socket: one JSON object a line, in both directions.

Plain values only, so that neither side needs the other's libraries.
"""

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from core.dialogue import FinishReason
from core.generation.request import ModelSpec, Owner, SamplingParams, ScorePair, Timings

#: Grows with every change that an older side would not understand.
PROTOCOL = 3
#: The longest line, in bytes.
LINE_LIMIT_BYTES = 16 * 1024 * 1024
#: The longest that a model may load.
LOAD_TIMEOUT_S = 3600.0
#: The engine says so often that it lives; a client that hears nothing for several of them takes it for hung.
HEARTBEAT_S = 1.0


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Load(_Message):
    type: Literal["load"] = "load"
    id: str
    model: ModelSpec


class Submit(_Message):
    type: Literal["submit"] = "submit"
    id: str
    model: ModelSpec
    prompt_ids: tuple[int, ...]
    #: Already streamed: the reply goes on after them.
    prefix_ids: tuple[int, ...] = ()
    sampling: SamplingParams
    seed: int
    stop_ids: frozenset[int]
    banned: tuple[tuple[int, ...], ...] = ()
    timeout_s: float
    owner: Owner = Owner()
    #: Higher goes first.
    priority: int = 0
    #: Whose keys and values may be kept for the next turn; "" keeps none.
    session: str = ""
    #: So many tokens at the prompt's start are the persona's, and the same in many sessions.
    persona_tokens: int = 0
    #: It was running whenever the engine died: nothing else runs beside it.
    alone: bool = False

    def forgotten(self, sessions: Collection[str]) -> "Submit":
        """The same, and where it is for one of these sessions nothing of it is kept; none is all of them."""
        concerned = self.session and (not sessions or self.session in sessions)
        return self.model_copy(update={"session": ""}) if concerned else self


class Cancel(_Message):
    type: Literal["cancel"] = "cancel"
    id: str


class Score(_Message):
    type: Literal["score"] = "score"
    id: str
    model: ModelSpec
    pairs: tuple[ScorePair, ...]
    timeout_s: float
    owner: Owner = Owner()
    priority: int = 0
    alone: bool = False


class Hold(_Message):
    """The reader of this request is far behind: nothing more is drawn for it until `Resume`."""

    type: Literal["hold"] = "hold"
    id: str


class Resume(_Message):
    type: Literal["resume"] = "resume"
    id: str


class Inspect(_Message):
    """Asks for `Statistics`."""

    type: Literal["inspect"] = "inspect"
    id: str


class Forget(_Message):
    """Nothing that was read for these sessions is kept, now or when what runs for them has ended; () is all of them."""

    type: Literal["forget"] = "forget"
    id: str
    sessions: tuple[str, ...] = ()


class Leave(_Message):
    """Asks the engine's process to end now; what runs is called off."""

    type: Literal["leave"] = "leave"


class Welcome(_Message):
    """The engine's first line on every connection."""

    type: Literal["welcome"] = "welcome"
    protocol: int
    device: str
    pid: int


class Heartbeat(_Message):
    """The engine lives."""

    type: Literal["heartbeat"] = "heartbeat"


class Progress(_Message):
    """It waits, in the queue or for its model."""

    type: Literal["progress"] = "progress"
    id: str
    #: Requests before this one.
    position: int = 0
    #: Seconds until it starts, as far as that can be told; 0 where it can't.
    expected_wait_s: float = 0.0
    loading: str = ""
    fraction: float = 0.0


class Started(_Message):
    """The request has left the queue: what happens to the engine now may be its doing."""

    type: Literal["started"] = "started"
    id: str


class Loaded(_Message):
    type: Literal["loaded"] = "loaded"
    id: str
    #: How its requests are run: "batched", or why they run one by one through `generate()`.
    way: str = "batched"


class Tokens(_Message):
    type: Literal["tokens"] = "tokens"
    id: str
    token_ids: tuple[int, ...]


class Hypothesis(_Message):
    token_ids: tuple[int, ...]
    finish_reason: FinishReason
    log_probability: float


class Finished(_Message):
    type: Literal["finished"] = "finished"
    id: str
    #: With the prefix, without the token that ended it.
    hypotheses: tuple[Hypothesis, ...]
    timings: Timings


class Scores(_Message):
    type: Literal["scores"] = "scores"
    id: str
    log_probabilities: tuple[float, ...]


class Forgotten(_Message):
    type: Literal["forgotten"] = "forgotten"
    id: str
    #: Slots that held something for them.
    slots: int


class Failed(_Message):
    type: Literal["failed"] = "failed"
    id: str
    #: The name of the class in `core.errors`.
    error: str
    reason: str
    #: QueueFull only: how many wait, and how long the next one would.
    waiting: int = 0
    expected_wait_s: float = 0.0


class ModelStatistics(_Message):
    name: str
    way: str
    slots: int
    running: int
    #: Slots whose keys and values are kept for a next turn.
    retained: int
    weights_bytes: int
    slots_bytes: int
    #: Tokens of prompts that were read, those that were known already, and tokens that were drawn, since it was loaded.
    prefilled_tokens: int
    reused_tokens: int
    drawn_tokens: int
    #: Forward passes since then, by the platforms whose replies were written in them: "discord slack" is one of both.
    forwards: dict[str, int] = Field(default_factory=dict)


class Statistics(_Message):
    type: Literal["statistics"] = "statistics"
    id: str
    device: str
    waiting: int
    running: int
    expected_wait_s: float
    models: tuple[ModelStatistics, ...]


ClientMessage = Load | Submit | Cancel | Hold | Resume | Score | Inspect | Forget | Leave
Answer = Progress | Started | Loaded | Tokens | Finished | Scores | Failed | Statistics | Forgotten
EngineMessage = Welcome | Heartbeat | Answer

client_messages: TypeAdapter[ClientMessage] = TypeAdapter(Annotated[ClientMessage, Field(discriminator="type")])
engine_messages: TypeAdapter[EngineMessage] = TypeAdapter(Annotated[EngineMessage, Field(discriminator="type")])


def line(message: BaseModel) -> bytes:
    return message.model_dump_json().encode() + b"\n"
