"""The engine is killed with SIGKILL in a chat storm, again and again: `python -m tests.crash.engine_kills`.

Every stream must end whole and once, what was streamed before a kill must stand, and greedy texts must be those of an
undisturbed run. A token that differs is shown to be a near-tie, or it is an error.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
import torch
from transformers import AutoModelForCausalLM

from core.generation.catalogue import DEFAULT_MODEL
from core.generation.client import EngineClient
from core.generation.launcher import EngineProcess, socket_path
from core.generation.link import Link, end_engine
from core.generation.models import Models
from core.generation.request import Completion, GenerationRequest, ModelSpec, Owner, Piece, Prompt, SamplingParams
from core.generation.tokenizer import Tokenizer

#: Two logits that differ by less may change places from one batch to another, in float32.
NEAR_TIE = 1e-3
STORM_TIMEOUT_S = 900.0
#: So many that hardly a request meets three deaths, at which it would fail, as it should.
TOKENS_BETWEEN_KILLS = 200


@dataclass
class Stream:
    """What a person saw."""

    token_ids: list[int] = field(default_factory=list)
    text: str = ""
    completions: list[Completion] = field(default_factory=list)
    #: (tokens, text) at each kill.
    seen: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    kills: int
    streams: int
    tokens: int
    near_ties: int
    faults: tuple[str, ...]


def engine_in(folder: Path) -> EngineProcess:
    variables = {"BANTER_PATHS__CACHE": str(folder), "BANTER_ENGINE__IDLE_S": "5", "BANTER_ENGINE__BATCH": "8"}
    command = ("env", *(f"{k}={v}" for k, v in variables.items()), sys.executable, "-P", "-m", "bots", "engine")
    return EngineProcess(socket_path(folder), command, folder / "engine.log")


def storm(spec: ModelSpec, tokenizer: Tokenizer, streams: int, seed: int) -> list[GenerationRequest]:
    draw = random.Random(seed)
    vocabulary = [token for token in range(200, 400) if token not in tokenizer.stop_ids]
    return [
        GenerationRequest(
            spec,
            Prompt(tuple(draw.choices(vocabulary, k=draw.randint(20, 80)))),
            SamplingParams(temperature=0, max_new_tokens=draw.randint(8, 32)),
            stop_ids=tokenizer.stop_ids,
            timeout_s=STORM_TIMEOUT_S,
            owner=Owner("crash", "", f"person {number % 7}"),
            session=f"crash {number}",
        )
        for number in range(streams)
    ]


async def run(
    process: EngineProcess, tokenizer: Tokenizer, requests: Sequence[GenerationRequest], kills: int
) -> tuple[list[Stream], int]:
    """The streams, and how often an engine was killed while they ran."""
    client = EngineClient(process, lambda _: tokenizer)
    streams = [Stream() for _ in requests]
    readers = [asyncio.create_task(_read(client, *pair)) for pair in zip(requests, streams, strict=True)]
    try:
        killed = await _kill_often(process, streams, kills)
        async with asyncio.timeout(STORM_TIMEOUT_S):
            await asyncio.gather(*readers)
        return streams, killed
    finally:
        await client.aclose()
        await end_engine(process)


async def _read(client: EngineClient, request: GenerationRequest, stream: Stream) -> None:
    async with aclosing(client.submit(request)) as events:
        async for event in events:
            if isinstance(event, Piece):
                stream.token_ids.extend(event.token_ids)
                stream.text += event.text
            elif isinstance(event, Completion):
                stream.completions.append(event)


async def _kill_often(process: EngineProcess, streams: Sequence[Stream], kills: int) -> int:
    """After every so many new tokens."""
    killed = 0
    while killed < kills and not all(stream.completions for stream in streams):
        goal = sum(len(stream.token_ids) for stream in streams) + TOKENS_BETWEEN_KILLS
        while sum(len(stream.token_ids) for stream in streams) < goal:
            if all(stream.completions for stream in streams):
                return killed
            await asyncio.sleep(0.01)
        for stream in streams:
            stream.seen.append((len(stream.token_ids), stream.text))
        os.kill(await _pid(process), signal.SIGKILL)
        killed += 1
    return killed


async def _pid(process: EngineProcess) -> int:
    connection = await process.connect()
    link = await Link.over(connection)
    pid = link.welcome.pid
    await link.aclose()
    return pid


def compare(
    model: ModelSpec, requests: Sequence[GenerationRequest], calm: Sequence[Stream], wild: Sequence[Stream], kills: int
) -> Report:
    faults: list[str] = []
    near_ties = 0
    network = AutoModelForCausalLM.from_pretrained(model.folder, dtype=torch.float32).eval()
    for number, (request, before, after) in enumerate(zip(requests, calm, wild, strict=True)):
        if len(after.completions) != 1:
            faults.append(f"stream {number} ended {len(after.completions)} times")
            continue
        whole = after.completions[0].best
        if tuple(after.token_ids) != whole.token_ids or after.text != whole.text:
            faults.append(f"stream {number} is not what its completion says")
        if any(not after.text.startswith(text) for _, text in after.seen):
            faults.append(f"stream {number} took back what was seen")
        if after.token_ids != before.token_ids:
            gap = _gap(network, request.prompt.token_ids, before.token_ids, after.token_ids)
            if gap > NEAR_TIE:
                faults.append(f"stream {number} differs from the undisturbed run where the logits differ by {gap:.2g}")
            near_ties += 1
    tokens = sum(len(stream.token_ids) for stream in wild)
    return Report(kills, len(wild), tokens, near_ties, tuple(faults))


def _gap(network: torch.nn.Module, prompt: Sequence[int], one: Sequence[int], other: Sequence[int]) -> float:
    """How much likelier one token is than the other, in logits, where the texts part."""
    place = next((i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if place is None:
        return float("inf")  # one of them is longer: that is no tie
    with torch.inference_mode():
        logits = network(torch.tensor([[*prompt, *one[:place]]])).logits[0, -1]
    return float((logits[one[place]] - logits[other[place]]).abs())


async def prove(spec: ModelSpec, streams: int, kills: int, seed: int) -> Report:
    tokenizer = Tokenizer.load(Path(spec.folder))
    requests = storm(spec, tokenizer, streams, seed)
    with tempfile.TemporaryDirectory() as folder:
        calm, _ = await run(engine_in(Path(folder) / "calm"), tokenizer, requests, kills=0)
        wild, killed = await run(engine_in(Path(folder) / "wild"), tokenizer, requests, kills)
    return await asyncio.to_thread(compare, spec, requests, calm, wild, killed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--streams", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    cache = Path(os.environ.get("MODEL_CACHE_FOR_TESTS") or platformdirs.user_cache_dir("banter"))
    spec = Models(cache).pull(DEFAULT_MODEL).spec
    report = asyncio.run(prove(spec, options.streams, options.kills, options.seed))
    print(
        f"{report.kills} kills, {report.streams} streams, {report.tokens} tokens: "
        f"{report.near_ties} parted from the undisturbed run at a near-tie, {len(report.faults)} faults"
    )
    for fault in report.faults:
        print("fault:", fault)
    return 1 if report.faults or report.kills < options.kills else 0


if __name__ == "__main__":
    sys.exit(main())
