"""A local OpenAI-compatible server, backends that are connected to it, and what they are asked."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace

import pytest

from core.generation.openai import OpenAIBackend
from core.generation.openai_request import OpenAIOptions
from core.generation.request import (
    Completion,
    Event,
    GenerationRequest,
    ModelSpec,
    Piece,
    Prompt,
    PromptMessage,
    SamplingParams,
)
from core.generation.tokenizer import Tokenizer
from tests.integration.local_openai import KEY, LocalOpenAI, running_openai
from tests.unit import tiny_tokenizers

DEADLINE_S = 20.0
#: Nobody listens there.
NOWHERE = "http://127.0.0.1:9/v1"
PROMPT_IDS = (1, 40, 41, 2)
MESSAGES = (PromptMessage("system", "Be kind."), PromptMessage("user", "How are you?"))

#: Takes changes of `OpenAIOptions`.
Connect = Callable[..., OpenAIBackend]


@pytest.fixture(scope="session")
def byte_level_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer.load(tiny_tokenizers.byte_level(tmp_path_factory.mktemp("byte-level")))


@pytest.fixture
async def local_openai() -> AsyncIterator[LocalOpenAI]:
    async with running_openai() as local:
        yield local


@pytest.fixture
async def connect(local_openai: LocalOpenAI, byte_level_tokenizer: Tokenizer) -> AsyncIterator[Connect]:
    """Opens backends that are closed at the end."""
    async with contextlib.AsyncExitStack() as opened:

        def connect(**changes: object) -> OpenAIBackend:
            usual = OpenAIOptions(local_openai.base_url, api_key=KEY, backoff_s=0.001, read_timeout_s=DEADLINE_S)
            backend = OpenAIBackend(replace(usual, **changes), lambda _: byte_level_tokenizer)  # type: ignore[arg-type]
            opened.push_async_callback(backend.aclose)
            return backend

        yield connect


def request(sampling: SamplingParams | None = None, **changes: object) -> GenerationRequest:
    prompt = Prompt(token_ids=PROMPT_IDS, messages=MESSAGES)
    made = GenerationRequest(
        ModelSpec("tiny", "nowhere"), prompt, sampling or SamplingParams(), frozenset({2}), DEADLINE_S
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def read(events: AsyncGenerator[Event, None]) -> tuple[list[str], Completion]:
    pieces: list[str] = []
    async with asyncio.timeout(DEADLINE_S):
        async for told in events:
            if isinstance(told, Piece):
                pieces.append(told.text)
    assert isinstance(told, Completion)
    return pieces, told


async def until_piece(events: AsyncGenerator[Event, None]) -> str:
    async with asyncio.timeout(DEADLINE_S):
        async for told in events:
            if isinstance(told, Piece):
                return told.text
    raise AssertionError("no piece came")


async def happens(semaphore: asyncio.Semaphore) -> None:
    async with asyncio.timeout(DEADLINE_S):
        await semaphore.acquire()
