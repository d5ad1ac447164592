"""How long the bots' event loop is late while the engine is at full load: `python -m benchmarks.lag`.

32 streams of the default model run through one client; beside them a task wakes up every few milliseconds and notes how
late it is. The same without any stream is printed too: on shared cores that is not nothing.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path

import platformdirs

from core.generation.catalogue import DEFAULT_MODEL
from core.generation.client import EngineClient
from core.generation.launcher import EngineProcess, socket_path
from core.generation.link import end_engine
from core.generation.models import Models
from core.generation.request import GenerationRequest, ModelSpec, Owner, Prompt, SamplingParams
from core.generation.tokenizer import Tokenizer

STREAMS = 32
REPLY_TOKENS = 96
TICK_S = 0.005
QUIET_S = 5.0
BOUND_MS = 50.0


async def measure(lags_ms: list[float]) -> None:
    """Runs until it is cancelled."""
    while True:
        due = time.perf_counter() + TICK_S
        await asyncio.sleep(TICK_S)
        lags_ms.append((time.perf_counter() - due) * 1e3)


async def lags_of_quiet() -> list[float]:
    lags_ms: list[float] = []
    ticker = asyncio.create_task(measure(lags_ms))
    await asyncio.sleep(QUIET_S)
    ticker.cancel()
    return lags_ms


async def lags_under_load(client: EngineClient, spec: ModelSpec) -> list[float]:
    async def read(number: int) -> None:
        prompt = Prompt(tuple(range(1000 + number, 1100 + number)))
        sampling = SamplingParams(temperature=0.7, top_p=0.9, max_new_tokens=REPLY_TOKENS, seed=number)
        owner = Owner("benchmark", "", str(number))
        request = GenerationRequest(spec, prompt, sampling, stop_ids=frozenset(), timeout_s=600.0, owner=owner)
        async with aclosing(client.submit(request)) as events:
            async for _ in events:
                pass

    lags_ms: list[float] = []
    ticker = asyncio.create_task(measure(lags_ms))
    await asyncio.gather(*(read(number) for number in range(STREAMS)))
    ticker.cancel()
    return lags_ms


async def main() -> int:
    spec = Models(Path(platformdirs.user_cache_dir("banter"))).pull(DEFAULT_MODEL).spec
    tokenizer = Tokenizer.load(Path(spec.folder))
    with tempfile.TemporaryDirectory() as folder:
        command = ("env", f"BANTER_PATHS__CACHE={folder}", sys.executable, "-P", "-m", "bots", "engine")
        process = EngineProcess(socket_path(Path(folder)), command, Path(folder) / "engine.log")
        client = EngineClient(process, lambda _: tokenizer)
        async with aclosing(client.prepare(spec)) as loading:
            async for _ in loading:
                pass
        quiet, loaded = await lags_of_quiet(), await lags_under_load(client, spec)
        await client.aclose()
        await end_engine(process)
    for name, lags_ms in (("nothing runs", quiet), (f"{STREAMS} streams", loaded)):
        print(f"{name}: p50 {statistics.median(lags_ms):.1f} ms, p99 {p99(lags_ms):.1f} ms ({len(lags_ms)} wakes)")
    return 0 if p99(loaded) < BOUND_MS else 1


def p99(numbers: list[float]) -> float:
    return statistics.quantiles(numbers, n=100)[98]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
