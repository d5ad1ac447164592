"""Many people at one engine: who goes first, who is refused, and what a hung device or a lazy reader costs others."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from core.dialogue import FinishReason
from core.errors import QueueFull
from core.generation.client import EngineClient
from core.generation.launcher import EngineProcess, socket_path
from core.generation.messages import Statistics
from core.generation.request import Completion, GenerationRequest, ModelSpec, Owner, Piece, SamplingParams, Waiting
from core.generation.tokenizer import Tokenizer
from tests.integration.engine_processes import DEADLINE_S, GREEDY, first_piece, process_in, read, request

FLOOD = 200
ANN, BEN = Owner("discord", "guild", "ann"), Owner("discord", "guild", "ben")
SHORT = SamplingParams(temperature=0, max_new_tokens=4)


@pytest.fixture(scope="module")
def small_engine(tmp_path_factory: pytest.TempPathFactory) -> EngineProcess:
    """It writes two replies at once."""
    limits = {"BANTER_ENGINE__BATCH": "2", "BANTER_ENGINE__WAITING_LIMIT": "300", "BANTER_ENGINE__IDLE_S": "3"}
    return process_in(tmp_path_factory.mktemp("small"), **limits, BANTER_ENGINE__WAITING_PER_PERSON="250")


@pytest.fixture
async def crowd(small_engine: EngineProcess, tiny_tokenizer: Tokenizer) -> AsyncIterator[EngineClient]:
    client = EngineClient(small_engine, lambda _: tiny_tokenizer)
    yield client
    await client.aclose()


async def follow(client: EngineClient, asked: GenerationRequest, name: str, ended: list[str]) -> Completion:
    _, completion = await read(client.submit(asked))
    ended.append(name)
    return completion


async def until(client: EngineClient, seen: Callable[[Statistics], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            statistics = await client.inspect()
            if statistics is not None and seen(statistics):
                return
            await asyncio.sleep(0)


async def until_waiting(client: EngineClient, count: int) -> None:
    await until(client, lambda statistics: statistics.waiting >= count)


async def test_one_person_floods_and_another_starts_within_two_replies(
    crowd: EngineClient, tiny_model: ModelSpec
) -> None:
    ended: list[str] = []
    async with asyncio.TaskGroup() as group:
        for _ in range(FLOOD):
            group.create_task(follow(crowd, request(tiny_model, SHORT, owner=ANN), "ann", ended))
        await until_waiting(crowd, FLOOD // 2)
        before = len(ended)
        group.create_task(follow(crowd, request(tiny_model, SHORT, owner=BEN), "ben", ended))

    # Two replies ran when it came and as many may have begun meanwhile: then it was its turn.
    assert ended.index("ben") - before <= 6
    assert len(ended) == FLOOD + 1


async def test_over_the_bound_a_request_is_refused_with_the_queues_length_and_the_others_are_answered(
    tmp_path: Path, tiny_model: ModelSpec, tiny_tokenizer: Tokenizer
) -> None:
    client = EngineClient(
        process_in(tmp_path, BANTER_ENGINE__BATCH="1", BANTER_ENGINE__WAITING_LIMIT="4"), lambda _: tiny_tokenizer
    )
    ended: list[str] = []
    people = [Owner("discord", "guild", f"person {number}") for number in range(4)]
    async with asyncio.TaskGroup() as group:
        group.create_task(follow(client, request(tiny_model, GREEDY, owner=ANN), "runs", ended))
        await until(client, lambda statistics: statistics.running > 0)
        for owner in people:
            group.create_task(follow(client, request(tiny_model, GREEDY, owner=owner), "waits", ended))
        await until_waiting(client, 4)
        with pytest.raises(QueueFull) as refused:
            await read(client.submit(request(tiny_model, GREEDY, owner=BEN)))
    await client.aclose()

    assert refused.value.waiting == 4
    assert len(ended) == 5


async def test_a_reader_that_stopped_reading_gives_its_place_to_others(
    tmp_path: Path, tiny_model: ModelSpec, tiny_tokenizer: Tokenizer
) -> None:
    client = EngineClient(process_in(tmp_path, BANTER_ENGINE__BATCH="1"), lambda _: tiny_tokenizer)
    long = SamplingParams(temperature=0, max_new_tokens=200)
    _, whole = await read(client.submit(request(tiny_model, long)))

    async with aclosing(client.submit(request(tiny_model, long, owner=ANN))) as lazy:
        first = await first_piece(lazy)
        _, other = await read(client.submit(request(tiny_model, SHORT, owner=BEN)))
        rest, completion = await read(lazy)
    await client.aclose()

    assert other.best.finish_reason is FinishReason.LENGTH
    assert first.text + "".join(piece.text for piece in rest) == completion.best.text == whole.best.text


async def test_a_place_in_the_queue_is_told_and_counts_down(crowd: EngineClient, tiny_model: ModelSpec) -> None:
    ended: list[str] = []
    async with asyncio.TaskGroup() as group:
        for _ in range(30):
            group.create_task(follow(crowd, request(tiny_model, GREEDY, owner=ANN), "ann", ended))
        await until_waiting(crowd, 25)
        async with aclosing(crowd.submit(request(tiny_model, GREEDY, owner=ANN))) as events:
            waited = [event async for event in events if isinstance(event, Waiting) and not event.loading]

    positions = [event.position for event in waited]
    assert positions[0] >= 20
    assert positions == sorted(positions, reverse=True)


async def test_a_device_that_hangs_is_replaced_and_the_reply_goes_on(
    tmp_path: Path, tiny_model: ModelSpec, tiny_tokenizer: Tokenizer
) -> None:
    socket = socket_path(tmp_path)
    command = (sys.executable, "-m", "tests.integration.hanging_engine", str(socket), str(tmp_path / "hung"))
    client = EngineClient(EngineProcess(socket, command, tmp_path / "engine.log"), lambda _: tiny_tokenizer)

    pieces, completion = await read(client.submit(request(tiny_model)))
    await client.aclose()

    assert (tmp_path / "hung").exists()
    assert "the device hangs" in (tmp_path / "engine.log").read_text()
    assert "".join(piece.text for piece in pieces) == completion.best.text
    assert all(isinstance(piece, Piece) for piece in pieces)
    assert len(completion.best.token_ids) == GREEDY.max_new_tokens
