"""The life of the engine's process: started, shared, lost, left."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import EngineUnavailable
from core.generation.client import EngineClient
from core.generation.launcher import EngineProcess, make_private, socket_path
from core.generation.link import Link, end_engine
from core.generation.request import ModelSpec
from core.generation.tokenizer import Tokenizer
from tests.integration.engine_processes import DEADLINE_S, LONG, first_piece, process_in, read, request


async def test_only_the_operators_user_can_open_the_socket(engine_process: EngineProcess) -> None:
    link = await Link.over(await engine_process.connect())
    await link.aclose()

    assert stat.S_IMODE(engine_process.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(engine_process.socket.parent.stat().st_mode) == 0o700


async def test_a_killed_engine_costs_a_pause_and_not_the_reply(
    tmp_path: Path, tiny_model: ModelSpec, tiny_tokenizer: Tokenizer
) -> None:
    process = process_in(tmp_path)
    client = EngineClient(process, lambda _: tiny_tokenizer)
    _, undisturbed = await read(client.submit(request(tiny_model, LONG)))
    stream = client.submit(request(tiny_model, LONG))
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


async def test_a_start_that_failed_leaves_the_lock_to_the_next_one(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.mkdir()
    broken = EngineProcess(socket_path(tmp_path), (sys.executable, "-c", "pass"), log, start_timeout_s=5.0)

    for _ in range(2):
        with pytest.raises(EngineUnavailable, match="did not start"):
            await broken.connect()


def test_the_bots_side_never_loads_torch(engine_process: EngineProcess, tiny_model: ModelSpec, tmp_path: Path) -> None:
    log = str(tmp_path / "engine.log")
    script = f"""
import asyncio, json, sys
from pathlib import Path
from core.generation.client import EngineClient
from core.generation.launcher import EngineProcess
from core.generation.request import *
from core.generation.tokenizer import Tokenizer

async def main():
    tokenizer = Tokenizer.load(Path({tiny_model.folder!r}))
    process = EngineProcess(Path({str(engine_process.socket)!r}), {engine_process.command!r}, Path({log!r}))
    client = EngineClient(process, lambda _: tokenizer)
    model = ModelSpec("tiny", {tiny_model.folder!r})
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
