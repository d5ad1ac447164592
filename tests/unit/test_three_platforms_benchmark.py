"""The parts of the benchmark of three platforms that compute: what engines did, and how the two ways compare."""

from io import StringIO

import pytest
from rich.console import Console

from benchmarks.three_platforms import (
    ALL,
    ONE,
    THREE,
    Run,
    Spent,
    forwards_told,
    question,
    ratio_told,
    ratios,
    require_answers,
    runs_table,
    spent,
)
from core.generation.messages import ModelStatistics, Statistics


def engine(drawn: int, prefilled: int = 0, **forwards: int) -> Statistics:
    """`forwards`: "discord_slack" is "discord slack"."""
    counted = {name.replace("_", " "): count for name, count in forwards.items()}
    model = ModelStatistics(
        name="tiny",
        way="batched",
        slots=4,
        running=0,
        retained=0,
        weights_bytes=1,
        slots_bytes=1,
        prefilled_tokens=prefilled,
        reused_tokens=0,
        drawn_tokens=drawn,
        forwards=counted,
    )
    return Statistics(id="1", device="cpu", waiting=0, running=0, expected_wait_s=0.0, models=(model,))


def run(way: str = ONE, seconds: float = 10.0, drawn: int = 100, **forwards: int) -> Run:
    return Run(way, 24, seconds, spent([], [engine(drawn, **(forwards or {"discord": 50}))]), 3 * 2**20)


def test_what_engines_did_between_two_looks_is_of_all_of_them_together() -> None:
    before = [engine(10, 5, discord=3), engine(20, 6, slack=4)]
    after = [engine(30, 50, discord=13), engine(50, 66, slack=10)]

    assert spent(before, after) == Spent(50, 105, {"discord": 10, "slack": 6})


def test_who_was_in_no_forward_pass_since_is_not_named() -> None:
    told = spent([engine(10, discord=3)], [engine(30, discord=3, discord_slack=7)])

    assert told.forwards == {"discord slack": 7}


def test_a_run_tells_how_fast_it_was_and_how_full_its_forward_passes_were() -> None:
    done = run(seconds=4.0, drawn=100, discord=10, discord_slack=10)

    assert (done.tokens_per_s, done.tokens_per_forward) == (25.0, 5.0)


def test_the_ways_are_compared_round_by_round_in_whichever_order_they_came() -> None:
    runs = [run(ONE, 10.0), run(THREE, 20.0), run(THREE, 40.0), run(ONE, 10.0)]

    assert ratios(runs, lambda one: one.seconds) == [0.5, 0.25]


def test_a_round_that_lacks_a_way_is_not_compared() -> None:
    with pytest.raises(ValueError, match="argument"):
        ratios([run(ONE), run(THREE), run(ONE)], lambda one: one.seconds)


def test_a_ratio_is_told_with_its_spread() -> None:
    assert ratio_told("tokens/s", [3.0, 1.0, 2.0]) == "tokens/s: 2.00 (1.00 to 3.00)"


def test_forward_passes_are_told_of_all_rounds_of_a_way_the_most_frequent_first() -> None:
    runs = [run(ONE, discord=1, discord_slack=2), run(THREE, slack=9), run(ONE, discord=4)]

    assert forwards_told(runs, ONE) == '"discord": 5, "discord slack": 2'


def test_the_table_has_a_line_for_each_run() -> None:
    console = Console(width=120, record=True, file=StringIO())
    console.print(runs_table([run(ONE, 4.0, 100, discord_slack_telegram=20), run(THREE, 5.0, 100, discord=50)]))
    lines = [line.replace("│", " ").split() for line in console.export_text().splitlines()]

    assert ["one", "engine", "4.0", "100", "25.0", "20", "20", "5.0", "3"] in lines
    assert ["three", "engines", "5.0", "100", "20.0", "50", "0", "2.0", "3"] in lines
    assert ALL == "discord slack telegram"


def test_nobody_asks_what_somebody_else_asks() -> None:
    assert len({question(number) for number in range(49)}) == 49


@pytest.mark.parametrize(
    ("replies", "excesses", "told"),
    [(["Hello.", " "], {}, "empty"), (["Hello."], {"discord create_message": 1}, "create_message")],
)
def test_a_run_in_which_something_went_wrong_counts_for_nothing(
    replies: list[str], excesses: dict[str, int], told: str
) -> None:
    with pytest.raises(AssertionError, match=told):
        require_answers(replies, excesses)
