"""What the tests of the bots' side ask of a scripted engine."""

import asyncio
from dataclasses import replace

from core.dialogue import FinishReason
from core.generation.client import EngineClient
from core.generation.request import Completion, GenerationRequest, ModelSpec, Piece, Prompt, SamplingParams, ScorePair
from tests.integration.engine_processes import read

MODEL = ModelSpec("none", "/nowhere")
PAIRS = [ScorePair((1,), (2,))]


def request(tokens: int = 8, **changes: object) -> GenerationRequest:
    made = GenerationRequest(MODEL, Prompt((5, 6, 7)), SamplingParams(max_new_tokens=tokens), frozenset())
    return replace(made, **changes)  # type: ignore[arg-type]


def reading(client: EngineClient, wanted: GenerationRequest) -> "asyncio.Task[tuple[list[Piece], Completion]]":
    return asyncio.create_task(read(client.submit(wanted)))


async def ends(task: "asyncio.Task[tuple[list[Piece], Completion]]") -> tuple[str, FinishReason]:
    """The text as it was streamed, and how it ended."""
    pieces, completion = await task
    assert "".join(piece.text for piece in pieces) == completion.best.text
    return completion.best.text, completion.best.finish_reason
