"""What the engine does, on an operator's screen."""

from bots.engine_views import engine_table, loaded_table
from bots.screens import place_in_queue
from core.generation.messages import ModelStatistics, Statistics
from core.generation.request import Waiting
from tests.unit.test_session_views import ESCAPE, shown

MODEL = ModelStatistics(
    name=f"tiny{ESCAPE}",
    way="batched",
    slots=16,
    running=3,
    retained=5,
    weights_bytes=270_000_000,
    slots_bytes=1_500,
    prefilled_tokens=1200,
    reused_tokens=3400,
    drawn_tokens=56_000,
)
STATISTICS = Statistics(id="", device="cuda:0", waiting=4, running=3, expected_wait_s=12.4, models=(MODEL,))


def test_an_engine_tells_who_runs_and_who_waits() -> None:
    lines = [" ".join(line.split()) for line in shown(engine_table(STATISTICS)).splitlines()]

    assert lines == ["engine cuda:0", "running 3", "waiting 4, about 12 s for the next one"]


def test_a_loaded_model_tells_its_figures_and_its_name_gives_no_orders() -> None:
    _, line = shown(loaded_table(STATISTICS)).splitlines()

    assert "\x1b" not in line
    assert " ".join(line.split()[1:]) == "batched 3 16 5 270.0 MB 1.5 kB 1,200 3,400 56,000"


def test_who_waits_is_told_the_place_and_the_time_where_that_is_known() -> None:
    assert place_in_queue(Waiting(position=3)) == "waiting: 3 before you"
    assert place_in_queue(Waiting(position=3, expected_wait_s=12.4)) == "waiting: 3 before you, about 12 s"
    assert place_in_queue(Waiting(expected_wait_s=0.2)) == "waiting: you are next, about 1 s"
