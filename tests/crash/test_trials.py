"""A few crash trials for every day; `python -m tests.crash` runs hundreds. And the judge of them is judged."""

import subprocess
import sys
from dataclasses import replace

import pytest

from tests.crash.judge import judged
from tests.crash.scenario import all_dooms, draw_scenario
from tests.platforms.kinds import DISCORD
from tests.platforms.paper_model import answer_to
from tests.platforms.paper_platform import PaperPlatform

_TIMEOUT_S = 240
SCENARIO = replace(draw_scenario(1, 0), words=3, kind=DISCORD)
EXPECTED = answer_to(SCENARIO.said[0][1].text, words=3)


def test_a_few_trials_lose_and_double_nothing() -> None:
    command = [sys.executable, "-P", "-m", "tests.crash", "--trials", "6", "--seed", "7", "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "6 trials, 0 lost, 0 doubled"


def test_a_seed_draws_the_same_trials() -> None:
    assert draw_scenario(3, 5) == draw_scenario(3, 5)
    assert draw_scenario(3, 5) != draw_scenario(4, 5)


def test_300_trials_die_at_every_named_state_of_every_platform() -> None:
    drawn = [draw_scenario(1, number) for number in range(300)]

    struck = {(one.kind.name, one.dooms[0][0].moment, one.dooms[0][0].action) for one in drawn}
    assert struck == {(kind, doom.moment, doom.action) for kind, doom in all_dooms()}
    assert {(one.database, one.bots) for one in drawn} == {("sqlite", 1), ("postgresql", 1), ("postgresql", 2)}


def platform_that_said(*answers: str) -> PaperPlatform:
    """Each message is answered as it should be, and the first one so."""
    platform = PaperPlatform(DISCORD)
    first, *others = (event for _, event in SCENARIO.said)
    said = [(first.id, text) for text in answers]
    said += [(event.id, answer_to(event.text, SCENARIO.words)) for event in others]
    for number, (message_id, text) in enumerate(said):
        platform.call("post", {"channel": "c", "reply_to": message_id, "nonce": f"{number}.0", "text": text})
    return platform


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ([EXPECTED], []),
        ([], ["lost"]),
        ([EXPECTED[:-3]], ["lost"]),
        ([EXPECTED, EXPECTED], ["doubled"]),
        ([EXPECTED, "…"], ["doubled"]),
    ],
    ids=["one answer", "none", "half of one", "two", "a placeholder beside it"],
)
def test_the_judge_sees_what_is_lost_and_what_is_doubled(answers: list[str], verdict: list[str]) -> None:
    assert [fault.what for fault in judged(SCENARIO, platform_that_said(*answers))] == verdict
