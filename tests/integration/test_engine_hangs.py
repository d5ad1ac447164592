"""Engines that are processes: killed, stopped, silent, and replaced."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from core.errors import EngineUnavailable
from core.generation import peer
from core.generation.client import ClientLimits, EngineClient
from core.generation.launcher import EngineProcess
from core.generation.link import EngineHung, Link, end_engine
from core.generation.tokenizer import Tokenizer
from tests.integration.engine_processes import first_piece, read
from tests.integration.scripted_engine import pids, scripted_process, token_at
from tests.integration.scripted_requests import request

TOKENS = 8
WHOLE = tuple(map(token_at, range(TOKENS)))
#: An engine beats 50 times a second.
IMPATIENT = ClientLimits(silence_s=0.5)


class Bots:
    """Clients of engines that are processes."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.clients: list[EngineClient] = []

    def client(self, process: EngineProcess) -> EngineClient:
        self.clients.append(EngineClient(process, lambda _: self._tokenizer, IMPATIENT))
        return self.clients[-1]


@pytest.fixture
async def bots(plain_tokenizer: Tokenizer, tmp_path: Path) -> AsyncIterator[Bots]:
    bots = Bots(plain_tokenizer)
    yield bots
    for client in bots.clients:
        await client.aclose()
    for pid in pids(scripted_process(tmp_path)):
        if psutil.pid_exists(pid) and str(tmp_path) in psutil.Process(pid).cmdline():
            os.kill(pid, signal.SIGKILL)


async def begun(client: EngineClient) -> "asyncio.Task[tuple[int, ...]]":
    """A request of which something was said; the task ends with all its tokens, as they were streamed."""
    events = client.submit(request(TOKENS))
    first = await first_piece(events)

    async def rest() -> tuple[int, ...]:
        pieces, completion = await read(events)
        streamed = first.token_ids + sum((piece.token_ids for piece in pieces), ())
        assert streamed == completion.best.token_ids
        return streamed

    return asyncio.create_task(rest())


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSEGV])
async def test_an_engine_that_is_killed_is_replaced(tmp_path: Path, bots: Bots, sent: signal.Signals) -> None:
    process = scripted_process(tmp_path, "stalls", "answers")
    reply = await begun(bots.client(process))
    os.kill(pids(process)[0], sent)

    assert await reply == WHOLE


async def test_an_engine_that_hangs_is_killed_and_replaced_once_for_all_bots(tmp_path: Path, bots: Bots) -> None:
    process = scripted_process(tmp_path, "stalls", "answers")
    replies = [await begun(bots.client(process)) for _ in range(3)]
    os.kill(pids(process)[0], signal.SIGSTOP)

    assert await asyncio.gather(*replies) == [WHOLE] * 3
    hung, new = pids(process)
    assert not peer.runs(peer.process_of(hung))
    assert peer.runs(peer.process_of(new))


async def test_an_engine_that_hangs_when_it_is_needed_is_killed_and_replaced(tmp_path: Path, bots: Bots) -> None:
    process = scripted_process(tmp_path, "mute", "answers")

    _, completion = await read(bots.client(process).submit(request(TOKENS)))

    assert completion.best.token_ids == WHOLE
    assert not peer.runs(peer.process_of(pids(process)[0]))


async def test_a_hung_engine_is_ended_on_demand(tmp_path: Path, bots: Bots, monkeypatch: pytest.MonkeyPatch) -> None:
    process = scripted_process(tmp_path, "mute")
    with pytest.raises(EngineHung, match="engine --stop"):
        await Link.over(await process.connect(), silence_s=0.2)
    monkeypatch.setattr(Link.over.__func__, "__defaults__", (0.2,))  # type: ignore[attr-defined]

    assert await end_engine(process)
    assert not peer.runs(peer.process_of(pids(process)[0]))


async def test_a_bot_that_was_stopped_itself_does_not_take_the_engine_for_hung(tmp_path: Path, bots: Bots) -> None:
    process = scripted_process(tmp_path, "stalls")
    client = bots.client(process)
    reply = await begun(client)
    time.sleep(3 * IMPATIENT.silence_s)  # noqa: ASYNC251 - nothing of this program runs meanwhile
    await asyncio.sleep(0.1)

    assert len(pids(process)) == 1
    assert not (await client._connector.link()).hung
    reply.cancel()
    await asyncio.gather(reply, return_exceptions=True)


async def test_a_process_that_got_a_dead_engines_number_is_left_alone() -> None:
    sleeping = await asyncio.create_subprocess_exec("sleep", "30")
    other = psutil.Process(sleeping.pid)
    other._create_time = other.create_time() - 60  # type: ignore[attr-defined]
    other._ident = (other.pid, other._create_time)  # type: ignore[attr-defined]
    await peer.kill(other)

    assert sleeping.returncode is None
    sleeping.kill()
    await sleeping.wait()


async def test_this_program_never_kills_itself() -> None:
    with pytest.raises(EngineUnavailable, match="not this user's to end"):
        await peer.kill(psutil.Process())
    with pytest.raises(EngineUnavailable, match="by hand"):
        await peer.kill(None)


async def test_an_engine_that_can_not_be_started_is_an_error_at_once(tmp_path: Path, bots: Bots) -> None:
    command = (sys.executable, "-c", "raise SystemExit('error: engine.device is a toaster')")
    client = bots.client(replace(scripted_process(tmp_path), command=command))

    for _ in range(3):
        with pytest.raises(EngineUnavailable, match="is a toaster"):
            await read(client.submit(request()))
