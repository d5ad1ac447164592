"""What crosses the engine's socket: one JSON object a line, in both directions.

Plain values only, so that neither side needs the other's libraries.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from core.dialogue import FinishReason
from core.generation.request import ModelSpec, SamplingParams, ScorePair, Timings

#: Grows with every change that an older side would not understand.
PROTOCOL = 1
#: The longest line, in bytes.
LINE_LIMIT_BYTES = 16 * 1024 * 1024
#: The longest that a model may load.
LOAD_TIMEOUT_S = 3600.0


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


class Cancel(_Message):
    type: Literal["cancel"] = "cancel"
    id: str


class Score(_Message):
    type: Literal["score"] = "score"
    id: str
    model: ModelSpec
    pairs: tuple[ScorePair, ...]
    timeout_s: float


class Leave(_Message):
    """Asks the engine's process to end now; what runs is called off."""

    type: Literal["leave"] = "leave"


class Welcome(_Message):
    """The engine's first line on every connection."""

    type: Literal["welcome"] = "welcome"
    protocol: int
    device: str
    pid: int


class Progress(_Message):
    type: Literal["progress"] = "progress"
    id: str
    #: Requests before this one.
    position: int = 0
    loading: str = ""
    fraction: float = 0.0


class Loaded(_Message):
    type: Literal["loaded"] = "loaded"
    id: str


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


class Failed(_Message):
    type: Literal["failed"] = "failed"
    id: str
    #: The name of the class in `core.errors`.
    error: str
    reason: str


ClientMessage = Annotated[Load | Submit | Cancel | Score | Leave, Field(discriminator="type")]
Answer = Progress | Loaded | Tokens | Finished | Scores | Failed
EngineMessage = Annotated[Welcome | Answer, Field(discriminator="type")]

client_messages: TypeAdapter[Load | Submit | Cancel | Score | Leave] = TypeAdapter(ClientMessage)
engine_messages: TypeAdapter[Welcome | Answer] = TypeAdapter(EngineMessage)


def line(message: BaseModel) -> bytes:
    return message.model_dump_json().encode() + b"\n"
