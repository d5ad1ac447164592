"""The engine as a process of its own, and the bots' side of its socket."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.dialogue import FinishReason
from core.errors import EngineUnavailable, ModelBroken, QueueFull, RequestFailed
from core.generation.client import EngineClient
from core.generation.launcher import EngineProcess, make_private, socket_path
from core.generation.link import Link, end_engine
from core.generation.request import (
    Completion,
    Event,
    GenerationRequest,
    ModelSpec,
    Piece,
    Prompt,
    SamplingParams,
    ScorePair,
    Waiting,
)
from core.generation.tokenizer import Tokenizer
from tests.integration.tiny_networks import save_tiny_network

DEADLINE_S = 60.0
GREEDY = SamplingParams(temperature=0, max_new_tokens=24)
LONG = SamplingParams(temperature=0, max_new_tokens=200)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec("tiny", str(save_tiny_network("llama", tmp_path_factory.mktemp("tiny"))))


@pytest.fixture(scope="module")
def tokenizer(model: ModelSpec) -> Tokenizer:
    return Tokenizer.load(Path(model.folder))


@pytest.fixture(scope="module")
def shared_process(tmp_path_factory: pytest.TempPathFactory) -> EngineProcess:
    return process_in(tmp_path_factory.mktemp("shared"), BANTER_ENGINE__WAITING_LIMIT="3", BANTER_ENGINE__IDLE_S="2")


@pytest.fixture
async def client(shared_process: EngineProcess, tokenizer: Tokenizer) -> AsyncIterator[EngineClient]:
    client = EngineClient(shared_process, lambda _: tokenizer)
    yield client
    await client.aclose()


#: Welcomes every client and ends at its first message.
DYING_ENGINE = """
import asyncio, os
from core.generation.messages import PROTOCOL, Welcome, line

async def serve(reader, writer):
    writer.write(line(Welcome(protocol=PROTOCOL, device="cpu", pid=os.getpid())))
    await reader.readline()
    os._exit(1)

async def main():
    async with await asyncio.start_unix_server(serve, {socket!r}):
        await asyncio.sleep(30)

asyncio.run(main())
"""


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


async def test_a_reply_comes_piece_by_piece_and_ends_with_its_completion(
    client: EngineClient, model: ModelSpec, tokenizer: Tokenizer
) -> None:
    pieces, completion = await read(client.submit(request(model)))

    assert len(pieces) > 1
    assert (
        "".join(piece.text for piece in pieces) == completion.best.text == tokenizer.decode(completion.best.token_ids)
    )
    assert sum((piece.token_ids for piece in pieces), ()) == completion.best.token_ids
    assert completion.best.finish_reason is FinishReason.LENGTH


async def test_requests_wait_for_each_other_and_are_told_their_position(client: EngineClient, model: ModelSpec) -> None:
    running = client.submit(request(model, LONG))
    await first_piece(running)
    events = [event async for event in client.submit(request(model))]
    await running.aclose()

    assert isinstance(events[0], Waiting)
    assert events[0].position == 1
    assert isinstance(events[-1], Completion)


async def test_more_requests_than_may_wait_are_refused(client: EngineClient, model: ModelSpec) -> None:
    running = client.submit(request(model, LONG))
    await first_piece(running)

    reads = [read(client.submit(request(model))) for _ in range(4)]
    outcomes = await asyncio.gather(*reads, return_exceptions=True)
    await running.aclose()

    refused = [outcome for outcome in outcomes if isinstance(outcome, QueueFull)]
    assert len(refused) == 1
    assert "3 requests wait already" in str(refused[0])


async def test_a_running_reply_can_be_cancelled(client: EngineClient, model: ModelSpec) -> None:
    wanted = request(model, LONG)
    stream = client.submit(wanted)
    first = await first_piece(stream)

    await client.cancel(wanted.id)
    pieces, completion = await read(stream)

    assert completion.best.finish_reason is FinishReason.CANCELLED
    assert completion.best.text == first.text + "".join(piece.text for piece in pieces)
    assert len(completion.best.token_ids) < LONG.max_new_tokens


async def test_a_waiting_request_is_cancelled_at_once(client: EngineClient, model: ModelSpec) -> None:
    running = client.submit(request(model, LONG))
    await first_piece(running)
    waiting = request(model)
    stream = client.submit(waiting)
    assert isinstance(await anext(stream), Waiting)

    await client.cancel(waiting.id)
    pieces, completion = await read(stream)
    await running.aclose()

    assert (pieces, completion.best.finish_reason) == ([], FinishReason.CANCELLED)


async def test_a_request_that_waits_past_its_deadline_ends_there(client: EngineClient, model: ModelSpec) -> None:
    running = client.submit(request(model, LONG))
    await first_piece(running)

    _, completion = await read(client.submit(request(model, timeout_s=0.01)))
    await running.aclose()

    assert completion.best.finish_reason is FinishReason.DEADLINE


async def test_a_stop_string_ends_the_reply_and_is_never_seen(client: EngineClient, model: ModelSpec) -> None:
    _, whole = await read(client.submit(request(model)))
    stop = whole.best.text[6:9]

    pieces, completion = await read(client.submit(request(model, replace(GREEDY, stop=(stop,)))))

    assert completion.best.text == "".join(piece.text for piece in pieces) == whole.best.text.split(stop)[0]
    assert completion.best.finish_reason is FinishReason.STOP


async def test_candidates_come_at_the_end_all_at_once(client: EngineClient, model: ModelSpec) -> None:
    sampling = SamplingParams(temperature=1.5, max_new_tokens=8, candidates=3, seed=5)

    pieces, completion = await read(client.submit(request(model, sampling)))

    assert pieces == []
    assert len({candidate.token_ids for candidate in completion.candidates}) == 3
    assert completion.seed == 5


async def test_scores_come_back_in_order(client: EngineClient, model: ModelSpec) -> None:
    _, completion = await read(client.submit(request(model)))
    prompt = tuple(range(5, 30))

    scores = await client.score(model, [ScorePair(prompt, completion.best.token_ids), ScorePair(prompt, ())])

    assert scores == [pytest.approx(completion.best.log_probability, abs=1e-3), 0]


async def test_an_error_of_the_engine_is_the_same_error_here(client: EngineClient, tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match=r"config\.json"):
        await read(client.submit(request(ModelSpec("nothing", str(tmp_path)))))


async def test_a_request_that_can_never_fit_fails_alone(client: EngineClient, model: ModelSpec) -> None:
    with pytest.raises(RequestFailed, match="outgrow"):
        await read(client.submit(request(model, SamplingParams(max_new_tokens=4000))))

    assert (await read(client.submit(request(model))))[0]


async def test_a_model_is_loaded_ahead_of_its_first_request(client: EngineClient, model: ModelSpec) -> None:
    fresh = replace(model, name="tiny, once more", dtype="float32")

    progress = [waiting async for waiting in client.prepare(fresh)]

    assert all(waiting.loading == fresh.name for waiting in progress)
    assert progress[-1].fraction == 1.0


async def test_a_client_that_speaks_another_language_is_dropped_and_the_others_stay(
    client: EngineClient, shared_process: EngineProcess, model: ModelSpec
) -> None:
    reader, writer = await shared_process.connect()
    writer.write(b'{"type": "format the disk"}\n')
    async with asyncio.timeout(DEADLINE_S):
        await reader.read()
    writer.close()

    assert (await read(client.submit(request(model))))[0]


async def test_only_the_operators_user_can_open_the_socket(shared_process: EngineProcess) -> None:
    link = await Link.over(await shared_process.connect())
    await link.aclose()

    assert stat.S_IMODE(shared_process.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(shared_process.socket.parent.stat().st_mode) == 0o700


async def test_a_killed_engine_costs_a_pause_and_not_the_reply(
    tmp_path: Path, model: ModelSpec, tokenizer: Tokenizer
) -> None:
    process = process_in(tmp_path)
    client = EngineClient(process, lambda _: tokenizer)
    _, undisturbed = await read(client.submit(request(model, LONG)))
    stream = client.submit(request(model, LONG))
    first = await first_piece(stream)

    link = await Link.over(await process.connect())
    os.kill(link.welcome.pid, signal.SIGKILL)
    pieces, completion = await read(stream)
    await link.aclose()
    await client.aclose()

    assert first.text + "".join(piece.text for piece in pieces) == completion.best.text == undisturbed.best.text


async def test_two_programs_that_start_at_once_share_one_engine(tmp_path: Path) -> None:
    links = [
        Link.over(connection) for connection in await asyncio.gather(*(process_in(tmp_path).connect() for _ in "ab"))
    ]
    opened = await asyncio.gather(*links)

    assert opened[0].welcome.pid == opened[1].welcome.pid
    await asyncio.gather(*(link.aclose() for link in opened))


async def test_the_engine_leaves_when_nobody_needs_it(tmp_path: Path) -> None:
    process = process_in(tmp_path, BANTER_ENGINE__IDLE_S="0.1")
    link = await Link.over(await process.connect())
    await link.aclose()

    async with asyncio.timeout(DEADLINE_S):
        while process.socket.exists():  # noqa: ASYNC110 - to connect would be to need it
            await asyncio.sleep(0.05)


async def test_the_engine_leaves_when_it_is_told_to(tmp_path: Path) -> None:
    process = process_in(tmp_path, BANTER_ENGINE__IDLE_S="600")
    link = await Link.over(await process.connect())

    assert await end_engine(process)
    assert not await end_engine(process)
    await link.aclose()


async def test_an_engine_that_can_not_start_says_why(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "raise SystemExit('error: engine.device is a toaster')")
    process = EngineProcess(socket_path(tmp_path), command, tmp_path / "engine.log")

    with pytest.raises(EngineUnavailable, match="is a toaster"):
        await process.connect()


def test_a_cache_folder_with_a_very_long_name_still_has_a_socket(tmp_path: Path) -> None:
    socket = socket_path(tmp_path / ("long" * 40))
    make_private(socket.parent)

    assert len(os.fsencode(socket)) < 100
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


async def test_a_request_goes_on_after_a_stop_string_as_if_nothing_had_been(
    client: EngineClient, model: ModelSpec
) -> None:
    """The same id again, as a redraw has it."""
    _, whole = await read(client.submit(request(model)))
    stopping = request(model, replace(LONG, stop=(whole.best.text[6:9],)))

    for _ in range(3):
        _, stopped = await read(client.submit(stopping))
        _, again = await read(client.submit(replace(request(model), id=stopping.id)))
        assert stopped.best.finish_reason is FinishReason.STOP
        assert stopped.timings.total_s > 0
        assert stopped.best.log_probability < 0
        assert again.best.text == whole.best.text


async def test_an_engine_that_dies_while_it_loads_or_scores_is_a_clear_error(
    tmp_path: Path, model: ModelSpec, tokenizer: Tokenizer
) -> None:
    make_private(socket_path(tmp_path).parent)
    command = (sys.executable, "-c", DYING_ENGINE.format(socket=str(socket_path(tmp_path))))
    client = EngineClient(EngineProcess(socket_path(tmp_path), command, tmp_path / "engine.log"), lambda _: tokenizer)

    with pytest.raises(EngineUnavailable, match="ended in the middle"):
        _ = [waiting async for waiting in client.prepare(model)]
    with pytest.raises(EngineUnavailable, match="ended in the middle"):
        await client.score(model, [ScorePair((1,), (2,))])
    await client.aclose()


async def test_a_start_that_failed_leaves_the_lock_to_the_next_one(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.mkdir()
    broken = EngineProcess(socket_path(tmp_path), (sys.executable, "-c", "pass"), log, start_timeout_s=5.0)

    for _ in range(2):
        with pytest.raises(EngineUnavailable, match="did not start"):
            await broken.connect()


def test_the_bots_side_never_loads_torch(shared_process: EngineProcess, model: ModelSpec, tmp_path: Path) -> None:
    script = f"""
import asyncio, json, sys
from pathlib import Path
from core.generation.client import EngineClient
from core.generation.launcher import EngineProcess
from core.generation.request import *
from core.generation.tokenizer import Tokenizer

async def main():
    tokenizer = Tokenizer.load(Path({model.folder!r}))
    process = EngineProcess(Path({str(shared_process.socket)!r}), {shared_process.command!r}, Path("nowhere"))
    client = EngineClient(process, lambda _: tokenizer)
    model = ModelSpec("tiny", {model.folder!r})
    sampling = SamplingParams(max_new_tokens=3)
    async for event in client.submit(GenerationRequest(model, Prompt((5, 6, 7)), sampling, frozenset())):
        pass
    await client.aclose()
    print(json.dumps([type(event).__name__, sorted({{"torch", "transformers", "numpy"}} & set(sys.modules))]))

asyncio.run(main())
"""
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=DEADLINE_S, check=True
    )

    assert json.loads(output.stdout) == ["Completion", []]
