"""Bots are killed and held while people talk to them: `python -m tests.crash --trials 300 --seed 1`.

A trial is good when each message that was accepted has exactly one visible answer. The last line tells how many were.
`--platform telegram` speaks to the local Bot API server by the program's own adapter, `--platform slack` to the local
Slack, `--platform discord` to the local Discord; else a platform in memory is spoken to.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.crash.databases import open_databases
from tests.crash.discord_outside import DiscordOutside
from tests.crash.discord_scenario import draw_discord_scenario
from tests.crash.paper_outside import PaperOutside
from tests.crash.scenario import Scenario, draw_scenario
from tests.crash.slack_outside import SlackOutside
from tests.crash.slack_scenario import draw_slack_scenario
from tests.crash.telegram_outside import TelegramOutside
from tests.crash.telegram_scenario import draw_telegram_scenario
from tests.crash.trial import Outside, run_trial
from tests.crash.verdict import Verdict
from tests.platforms.paper_bot import paper_voices


@dataclass(frozen=True, slots=True)
class Platform:
    draw: Callable[[int, int], Scenario]
    outside: Callable[[Scenario], Outside]
    #: What is said of placeholders that are no faults.
    left_over: str = ""


PLATFORMS = {
    "discord": Platform(draw_discord_scenario, DiscordOutside),
    "paper": Platform(draw_scenario, PaperOutside),
    "slack": Platform(
        draw_slack_scenario, SlackOutside, "empty streams that nobody took up, each explained by a trouble"
    ),
    "telegram": Platform(
        draw_telegram_scenario, TelegramOutside, "orphans of a kill or a drop between a send and its commit, all empty"
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--platform", choices=PLATFORMS, default="paper")
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first trial, to repeat a bad one")
    parser.add_argument("--jobs", type=int, default=4, help="trials at once")
    parser.add_argument("--verbose", action="store_true", help="a line for each trial")
    options = parser.parse_args()
    begun, platform = time.monotonic(), PLATFORMS[options.platform]
    numbers = range(options.first, options.first + options.trials)
    scenarios = [platform.draw(options.seed, number) for number in numbers]
    verdicts = asyncio.run(_run_all(platform, scenarios, options.jobs, verbose=options.verbose))
    for verdict in verdicts:
        if verdict.faults:
            _print_fault(verdict)
    _print_sum(platform, verdicts, time.monotonic() - begun)
    return 1 if any(verdict.faults for verdict in verdicts) else 0


async def _run_all(platform: Platform, scenarios: list[Scenario], jobs: int, *, verbose: bool) -> list[Verdict]:
    with tempfile.TemporaryDirectory(prefix="banter-crash-") as name:
        folder = Path(name)
        await asyncio.to_thread(paper_voices, folder)
        verdicts: list[Verdict] = []
        left: Iterator[Scenario] = iter(scenarios)

        async def work() -> None:
            for scenario in left:
                begun = time.monotonic()
                verdict = await run_trial(scenario, platform.outside(scenario), databases, folder)
                verdicts.append(verdict)
                if verbose or verdict.faults:
                    state = "BAD " if verdict.faults else "good"
                    print(f"{state} {time.monotonic() - begun:5.1f} s  {scenario.told()}", flush=True)

        async with open_databases(folder) as databases:
            await asyncio.gather(*(work() for _ in range(jobs)))
        return verdicts


def _print_fault(verdict: Verdict) -> None:
    print(f"\nTrial {verdict.scenario.told()}")
    print(f"  {verdict.scenario.weather} {verdict.scenario.faults}")
    for fault in verdict.faults:
        print(f"  {fault.what} {fault.message_id}: {fault.told}")
    print(verdict.history)


def _print_sum(platform: Platform, verdicts: list[Verdict], seconds: float) -> None:
    total = [sum(getattr(one, name) for one in verdicts) for name in ("messages", "kills", "holds", "left_over")]
    whats = [fault.what for verdict in verdicts for fault in verdict.faults]
    print(f"{total[0]} messages, {total[1]} kills, {total[2]} holds, {total[3]} placeholders left, {seconds:.0f} s")
    if platform.left_over:
        print(f"{total[3]} {platform.left_over}")
    if again := sum(one.brought_again for one in verdicts):
        print(f"{again} events were not acked at first, and came again")
    if broken := whats.count("broken"):
        print(f"{broken} other faults")
    print(f"{len(verdicts)} trials, {whats.count('lost')} lost, {whats.count('doubled')} doubled")


if __name__ == "__main__":
    sys.exit(main())
