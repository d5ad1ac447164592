"""What one engine for three platforms gains over an engine for each: `python -m benchmarks.three_platforms`.

People of the local Discord, Slack and Telegram ask all at once, and the default model writes. By turns `banter run`
answers them with its one engine, and `banter discord`, `banter slack` and `banter telegram` do with an engine each.
Everything is begun anew for each round, so no engine remembers a question. Exit code 1 where turns of all three
platforms were in no forward pass of the one engine.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from rich.console import Console
from rich.table import Table

from core.errors import EngineUnavailable
from core.generation import peer
from core.generation.catalogue import DEFAULT_MODEL
from core.generation.launcher import EngineProcess, socket_path
from core.generation.link import end_engine, inspect_engine
from core.generation.messages import Statistics
from core.generation.models import Models, ResolvedModel
from tests.acceptance.conftest import Home, link_model
from tests.acceptance.programs import Program, program
from tests.acceptance.three_platforms import ThreePlatforms, three_platforms

ONE, THREE = "one engine", "three engines"
ALL = "discord slack telegram"
_PLACES = ("by the sea", "in the hills", "on an island", "in a desert", "on a river", "under the ice", "in a wood")
_HEROES = ("a baker", "a fox", "a painter", "a lost key", "an old ship", "two sisters", "a clock")


@dataclass(frozen=True, slots=True)
class Spent:
    """What engines did between two looks at them."""

    drawn_tokens: int
    prefilled_tokens: int
    #: Forward passes, by the platforms that were in them.
    forwards: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Run:
    """One round of one of the two ways."""

    way: str
    replies: int
    #: Until all replies are whole, as people see them.
    seconds: float
    spent: Spent
    #: Of all engines; pages that several of them share count for each.
    resident_bytes: int

    @property
    def tokens_per_s(self) -> float:
        return self.spent.drawn_tokens / self.seconds

    @property
    def tokens_per_forward(self) -> float:
        return self.spent.drawn_tokens / sum(self.spent.forwards.values())


def spent(before: Sequence[Statistics], after: Sequence[Statistics]) -> Spent:
    """By all engines together."""
    begun, done = _sums(before), _sums(after)
    forwards = {name: count - begun.forwards.get(name, 0) for name, count in done.forwards.items()}
    return Spent(
        done.drawn_tokens - begun.drawn_tokens,
        done.prefilled_tokens - begun.prefilled_tokens,
        {name: count for name, count in sorted(forwards.items()) if count},
    )


def _sums(told: Sequence[Statistics]) -> Spent:
    models = [model for engine in told for model in engine.models]
    forwards: Counter[str] = Counter()
    for model in models:
        forwards.update(model.forwards)
    return Spent(sum(model.drawn_tokens for model in models), sum(model.prefilled_tokens for model in models), forwards)


def ratios(runs: Sequence[Run], of: Callable[[Run], float]) -> list[float]:
    """What the one engine has of it to what the three have, round by round."""
    ones, threes = ([of(run) for run in runs if run.way == way] for way in (ONE, THREE))
    return [one / three for one, three in zip(ones, threes, strict=True)]


def question(number: int) -> str:
    """No two of the first 49 are the same."""
    place = _PLACES[number // len(_HEROES) % len(_PLACES)]
    return f"Tell me a long story about {_HEROES[number % len(_HEROES)]} {place}."


@asynccontextmanager
async def answering(
    way: str, platforms: ThreePlatforms, model: ResolvedModel, tokens: int, folder: Path
) -> AsyncIterator[list[EngineProcess]]:
    """The programs of one way, until the end of the block; gives how their engines are reached."""
    told = platforms.told()
    if way == ONE:
        told = {"run": {name: value for one in told.values() for name, value in one.items()}}
    async with AsyncExitStack() as closing:
        engines: list[EngineProcess] = []
        for product, variables in told.items():
            home = Home(folder / product)
            link_model(model, home.cache)
            engine = EngineProcess(socket_path(home.cache), (), home.data / "engine.log")
            closing.push_async_callback(end_engine, engine)
            length = {"BANTER_SAMPLING__MAX_NEW_TOKENS": str(tokens), "BANTER_MEMORY__SUMMARY": "false"}
            bot: Program = await closing.enter_async_context(program(home, product, {**variables, **length}))
            await bot.logs(action="begin")
            engines.append(engine)
        await platforms.connected()
        yield engines


async def measure(way: str, model: ResolvedModel, people: int, tokens: int) -> Run:
    with tempfile.TemporaryDirectory(prefix="banter-three-") as name:
        async with (
            three_platforms() as platforms,
            answering(way, platforms, model, tokens, Path(name)) as engines,
        ):
            # the models are loaded, and everybody knows everybody
            await asyncio.gather(*(first.ask("Good morning!") for first in await platforms.person("Zoe")))
            asking = [one for number in range(people) for one in await platforms.person(f"Ann {number}")]
            before = [await looked_at(engine) for engine in engines]
            begun = time.perf_counter()
            replies = await asyncio.gather(*(one.ask(question(number)) for number, one in enumerate(asking)))
            seconds = time.perf_counter() - begun
            after = [await looked_at(engine) for engine in engines]
            resident = sum([await resident_bytes(engine) for engine in engines])
            require_answers(replies, await platforms.excesses())
    return Run(way, len(replies), seconds, spent(before, after), resident)


def require_answers(replies: Sequence[str], excesses: Mapping[str, int]) -> None:
    if not all(reply.strip() for reply in replies):
        raise AssertionError("somebody has an empty reply")
    if excesses:
        raise AssertionError(f"a platform was asked for too much: {excesses}")


async def looked_at(engine: EngineProcess) -> Statistics:
    told = await inspect_engine(engine)
    if told is None:
        raise EngineUnavailable("no engine runs")
    return told


async def resident_bytes(engine: EngineProcess) -> int:
    """Of its process, weights included."""
    connection = await engine.connect_if_running()
    if connection is None:
        raise EngineUnavailable("no engine runs")
    _, writer = connection
    try:
        process = peer.listener(writer)
    finally:
        writer.close()
    return 0 if process is None else int(process.memory_info().rss)


def runs_table(runs: Sequence[Run]) -> Table:
    table = Table(title=f"{runs[0].replies} people on three platforms ask at once")
    for heading in ("", "s", "tokens", "tokens/s", "forwards", "shared", "tokens/forward", "MiB"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for run in runs:
        table.add_row(
            run.way,
            f"{run.seconds:.1f}",
            f"{run.spent.drawn_tokens}",
            f"{run.tokens_per_s:.1f}",
            f"{sum(run.spent.forwards.values())}",
            f"{run.spent.forwards.get(ALL, 0)}",
            f"{run.tokens_per_forward:.1f}",
            f"{run.resident_bytes / 2**20:.0f}",
        )
    table.caption = "s: until all replies are whole; shared: by turns of all three; MiB: resident, of the engines"
    return table


def forwards_told(runs: Sequence[Run], way: str) -> str:
    """Of all rounds."""
    counted: Counter[str] = Counter()
    for run in runs:
        if run.way == way:
            counted.update(run.spent.forwards)
    return ", ".join(f'"{platforms}": {count}' for platforms, count in counted.most_common())


def ratio_told(name: str, of_rounds: Sequence[float]) -> str:
    return f"{name}: {statistics.median(of_rounds):.2f} ({min(of_rounds):.2f} to {max(of_rounds):.2f})"


async def main(arguments: argparse.Namespace) -> int:
    model = Models(Path(platformdirs.user_cache_dir("banter"))).pull(DEFAULT_MODEL)
    runs: list[Run] = []
    for number in range(arguments.rounds):
        ways = (ONE, THREE) if number % 2 == 0 else (THREE, ONE)
        runs += [await measure(way, model, arguments.people, arguments.tokens) for way in ways]
    console = Console(width=100)
    console.print(runs_table(runs))
    for way in (ONE, THREE):
        console.print(f"Forward passes of {way}, by whose turns were in them: {forwards_told(runs, way)}")
    console.print("One engine to three, the median of the rounds (and their spread):")
    console.print(ratio_told("  tokens/s", ratios(runs, lambda run: run.tokens_per_s)))
    console.print(ratio_told("  seconds until all replies are whole", ratios(runs, lambda run: run.seconds)))
    console.print(ratio_told("  tokens in a forward pass", ratios(runs, lambda run: run.tokens_per_forward)))
    console.print(ratio_told("  memory", ratios(runs, lambda run: run.resident_bytes)))
    return 0 if all(run.spent.forwards.get(ALL, 0) for run in runs if run.way == ONE) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--people", type=int, default=8, help="on each platform")
    parser.add_argument("--tokens", type=int, default=64, help="at most, of each reply")
    sys.exit(asyncio.run(main(parser.parse_args())))
