"""The bots' side of the engine's socket: requests out, text back."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from core.dialogue import FinishReason
from core.errors import ModelBroken, QueueFull, RequestFailed
from core.generation.client import EngineClient
from core.generation.launcher import EngineProcess
from core.generation.request import ModelSpec, Owner, SamplingParams, ScorePair, Waiting
from core.generation.tokenizer import Tokenizer
from tests.integration.engine_processes import DEADLINE_S, GREEDY, LONG, crowd, first_piece, read, request


async def test_a_reply_comes_piece_by_piece_and_ends_with_its_completion(
    client: EngineClient, tiny_model: ModelSpec, tiny_tokenizer: Tokenizer
) -> None:
    pieces, completion = await read(client.submit(request(tiny_model, LONG)))

    assert len(pieces) > 1
    assert (
        "".join(piece.text for piece in pieces)
        == completion.best.text
        == tiny_tokenizer.decode(completion.best.token_ids)
    )
    assert sum((piece.token_ids for piece in pieces), ()) == completion.best.token_ids
    assert completion.best.finish_reason is FinishReason.LENGTH


async def test_requests_wait_for_each_other_and_are_told_their_position(
    client: EngineClient, tiny_model: ModelSpec
) -> None:
    running = await crowd(client, tiny_model)
    waiting = [client.submit(request(tiny_model, owner=Owner(person=person))) for person in "ab"]
    places = [await anext(stream) for stream in waiting]
    await asyncio.gather(*map(read, waiting), *running)

    assert [place.position for place in places if isinstance(place, Waiting)] == [0, 1]


async def test_more_requests_than_may_wait_are_refused(client: EngineClient, tiny_model: ModelSpec) -> None:
    running = await crowd(client, tiny_model)

    reads = [read(client.submit(request(tiny_model, owner=Owner(person=person)))) for person in "abcd"]
    outcomes = await asyncio.gather(*reads, return_exceptions=True)
    await asyncio.gather(*running)

    refused = [outcome for outcome in outcomes if isinstance(outcome, QueueFull)]
    assert [error.waiting for error in refused] == [3]


async def test_a_running_reply_can_be_cancelled(client: EngineClient, tiny_model: ModelSpec) -> None:
    wanted = request(tiny_model, LONG)
    stream = client.submit(wanted)
    first = await first_piece(stream)

    await client.cancel(wanted.id)
    pieces, completion = await read(stream)

    assert completion.best.finish_reason is FinishReason.CANCELLED
    assert completion.best.text == first.text + "".join(piece.text for piece in pieces)
    assert len(completion.best.token_ids) < LONG.max_new_tokens


async def test_a_waiting_request_is_cancelled_at_once(client: EngineClient, tiny_model: ModelSpec) -> None:
    running = await crowd(client, tiny_model)
    waiting = request(tiny_model)
    stream = client.submit(waiting)
    assert isinstance(await anext(stream), Waiting)

    await client.cancel(waiting.id)
    pieces, completion = await read(stream)
    await asyncio.gather(*running)

    assert (pieces, completion.best.finish_reason) == ([], FinishReason.CANCELLED)


async def test_a_request_that_waits_past_its_deadline_ends_there(client: EngineClient, tiny_model: ModelSpec) -> None:
    running = await crowd(client, tiny_model)

    _, completion = await read(client.submit(request(tiny_model, timeout_s=0.01)))
    await asyncio.gather(*running)

    assert completion.best.finish_reason is FinishReason.DEADLINE


async def test_a_stop_string_ends_the_reply_and_is_never_seen(client: EngineClient, tiny_model: ModelSpec) -> None:
    _, whole = await read(client.submit(request(tiny_model)))
    stop = whole.best.text[6:9]

    pieces, completion = await read(client.submit(request(tiny_model, replace(GREEDY, stop=(stop,)))))

    assert completion.best.text == "".join(piece.text for piece in pieces) == whole.best.text.split(stop)[0]
    assert completion.best.finish_reason is FinishReason.STOP


async def test_candidates_come_at_the_end_all_at_once(client: EngineClient, tiny_model: ModelSpec) -> None:
    sampling = SamplingParams(temperature=1.5, max_new_tokens=8, candidates=3, seed=5)

    pieces, completion = await read(client.submit(request(tiny_model, sampling)))

    assert pieces == []
    assert len({candidate.token_ids for candidate in completion.candidates}) == 3
    assert completion.seed == 5


async def test_scores_come_back_in_order(client: EngineClient, tiny_model: ModelSpec) -> None:
    _, completion = await read(client.submit(request(tiny_model)))
    prompt = tuple(range(5, 30))

    scores = await client.score(tiny_model, [ScorePair(prompt, completion.best.token_ids), ScorePair(prompt, ())])

    assert scores == [pytest.approx(completion.best.log_probability, abs=1e-3), 0]


async def test_an_error_of_the_engine_is_the_same_error_here(client: EngineClient, tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match=r"config\.json"):
        await read(client.submit(request(ModelSpec("nothing", str(tmp_path)))))


async def test_a_request_that_can_never_fit_fails_alone(client: EngineClient, tiny_model: ModelSpec) -> None:
    with pytest.raises(RequestFailed, match="outgrow"):
        await read(client.submit(request(tiny_model, SamplingParams(max_new_tokens=4000))))

    assert (await read(client.submit(request(tiny_model))))[0]


async def test_a_model_is_loaded_ahead_of_its_first_request(client: EngineClient, tiny_model: ModelSpec) -> None:
    fresh = replace(tiny_model, name="tiny, once more", dtype="float32")

    progress = [waiting async for waiting in client.prepare(fresh)]

    assert all(waiting.loading == fresh.name for waiting in progress)
    assert progress[-1].fraction == 1.0


async def test_a_client_that_speaks_another_language_is_dropped_and_the_others_stay(
    client: EngineClient, engine_process: EngineProcess, tiny_model: ModelSpec
) -> None:
    reader, writer = await engine_process.connect()
    writer.write(b'{"type": "format the disk"}\n')
    async with asyncio.timeout(DEADLINE_S):
        await reader.read()
    writer.close()

    assert (await read(client.submit(request(tiny_model))))[0]


async def test_a_request_goes_on_after_a_stop_string_as_if_nothing_had_been(
    client: EngineClient, tiny_model: ModelSpec
) -> None:
    """The same id again, as a redraw has it."""
    _, whole = await read(client.submit(request(tiny_model)))
    stopping = request(tiny_model, replace(LONG, stop=(whole.best.text[6:9],)))

    for _ in range(3):
        _, stopped = await read(client.submit(stopping))
        _, again = await read(client.submit(replace(request(tiny_model), id=stopping.id)))
        assert stopped.best.finish_reason is FinishReason.STOP
        assert stopped.timings.total_s > 0
        assert stopped.best.log_probability < 0
        assert again.best.text == whole.best.text
