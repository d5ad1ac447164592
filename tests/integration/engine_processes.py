"""Engines as processes of their own, with a tiny model, for the tests of both sides of the socket."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

from core.generation.client import EngineClient
from core.generation.launcher import EngineProcess, socket_path
from core.generation.request import Completion, Event, GenerationRequest, ModelSpec, Piece, Prompt, SamplingParams

DEADLINE_S = 60.0
GREEDY = SamplingParams(temperature=0, max_new_tokens=24)
#: Replies that the shared engine writes at once.
PLACES = 3
LONG = SamplingParams(temperature=0, max_new_tokens=200)


def process_in(folder: Path, **environment: str) -> EngineProcess:
    """An engine of its own, which ends by itself soon after its last client left."""
    variables = {"BANTER_PATHS__CACHE": str(folder), "BANTER_ENGINE__IDLE_S": "1", "BANTER_ENGINE__DEVICE": "cpu"}
    assignments = [f"{name}={value}" for name, value in (variables | environment).items()]
    command = ("env", *assignments, sys.executable, "-P", "-m", "bots", "engine")
    return EngineProcess(socket_path(folder), command, folder / "engine.log", start_timeout_s=DEADLINE_S)


def request(model: ModelSpec, sampling: SamplingParams = GREEDY, **changes: object) -> GenerationRequest:
    made = GenerationRequest(model, Prompt(tuple(range(5, 30))), sampling, stop_ids=frozenset(), timeout_s=DEADLINE_S)
    return replace(made, **changes)  # type: ignore[arg-type]


async def read(events: AsyncGenerator[Event, None]) -> tuple[list[Piece], Completion]:
    pieces: list[Piece] = []
    async with asyncio.timeout(DEADLINE_S):
        async for event in events:
            if isinstance(event, Piece):
                pieces.append(event)
    assert isinstance(event, Completion)
    return pieces, event


async def first_piece(events: AsyncGenerator[Event, None]) -> Piece:
    async with asyncio.timeout(DEADLINE_S):
        async for event in events:
            if isinstance(event, Piece):
                return event
    raise AssertionError("no piece came")


async def crowd(client: EngineClient, model: ModelSpec) -> "list[asyncio.Task[tuple[list[Piece], Completion]]]":
    """Long replies at every place of the shared engine."""
    streams = [client.submit(request(model, LONG)) for _ in range(PLACES)]
    await asyncio.gather(*map(first_piece, streams))
    return [asyncio.create_task(read(stream)) for stream in streams]
