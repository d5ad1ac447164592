"""The parts of the engine's benchmark that compute: what is asked, what is heard, what is reported."""

import json
import math
from dataclasses import replace
from itertools import pairwise

import pytest

from benchmarks.crowd import Crowd, Dialogue
from benchmarks.measuring import Figures, figures, percentile
from benchmarks.report import Conditions, content, median
from benchmarks.runs import Run
from benchmarks.targets import targets
from benchmarks.workloads import SESSIONS, STORM, Vocabulary, Workload, equal, parse, sessions, storm

VOCABULARY = Vocabulary(size=500, window=1024)
FIGURES = Figures(
    requests=32,
    tokens=1024,
    seconds=8.0,
    tokens_per_s=128.0,
    tokens_per_s_while_arriving=0.0,
    first_token_p50_s=0.5,
    first_token_p95_s=1.0,
    token_p50_s=0.2,
    token_p95_s=0.3,
    peak_bytes=1_000_000,
    prompt_tokens=1000,
    prefilled_tokens=150,
)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def pass_s(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def crowd_of(workload: Workload, clock: Clock) -> Crowd:
    return Crowd(workload, clock, clock.pass_s)


class TestWorkloads:
    def test_equal_requests_are_of_one_length_and_come_at_once(self) -> None:
        asked = equal(VOCABULARY, 8, 32, 16)

        assert {(len(s.exchanges[0].said_ids), s.exchanges[0].reply_tokens) for s in asked.sessions} == {(32, 16)}
        assert asked.last_arrival_s == 0

    def test_a_storm_keeps_its_bounds_and_its_rate(self) -> None:
        asked = storm(VOCABULARY, 2000, per_s=4.0)
        said = [len(session.exchanges[0].said_ids) for session in asked.sessions]
        replies = [session.exchanges[0].reply_tokens for session in asked.sessions]

        assert (min(said), max(said)) == STORM.said
        assert (min(replies), max(replies)) == STORM.reply
        assert 2000 / asked.last_arrival_s == pytest.approx(4.0, rel=0.1)
        assert {token_id for session in asked.sessions for token_id in session.exchanges[0].said_ids} <= set(range(500))

    def test_a_storm_asks_the_same_at_every_rate(self) -> None:
        slow, fast, at_once = (storm(VOCABULARY, 20, rate) for rate in (0.5, 5.0, math.inf))

        asked = [[session.exchanges for session in one.sessions] for one in (slow, fast, at_once)]
        assert asked[0] == asked[1] == asked[2]
        assert slow.last_arrival_s == pytest.approx(10 * fast.last_arrival_s)
        assert at_once.last_arrival_s == 0

    def test_another_seed_asks_something_else(self) -> None:
        assert storm(VOCABULARY, 5, 1.0) == storm(VOCABULARY, 5, 1.0)
        assert storm(VOCABULARY, 5, 1.0) != storm(VOCABULARY, 5, 1.0, seed=1)

    def test_a_small_window_makes_shorter_turns(self) -> None:
        asked = storm(Vocabulary(500, window=64), 50, 1.0)

        for session in asked.sessions:
            assert len(session.exchanges[0].said_ids) + session.exchanges[0].reply_tokens <= 64

    def test_sessions_share_a_persona(self) -> None:
        asked = sessions(VOCABULARY, 16, 10)

        assert [len(session.exchanges) for session in asked.sessions] == [10] * 16
        assert len({session.persona_ids for session in asked.sessions}) == 1

    @pytest.mark.parametrize("asked", [storm(VOCABULARY, 3, 1.0), sessions(VOCABULARY, 2, 3)])
    def test_a_workload_crosses_to_another_process(self, asked: Workload) -> None:
        line = asked.to_json()

        assert "\n" not in line
        assert parse(line) == asked


class TestCrowd:
    def test_people_ask_when_they_have_come(self, clock: Clock) -> None:
        asked = storm(VOCABULARY, 2, per_s=1.0)
        crowd = crowd_of(asked, clock)

        assert [ask.session for ask in crowd.asking()] == ["r0"]
        assert crowd.asking() == []
        crowd.wait()
        assert [ask.session for ask in crowd.asking()] == ["r1"]

    def test_times_are_those_of_the_tokens(self, clock: Clock) -> None:
        crowd = crowd_of(equal(VOCABULARY, 1, 4, reply_tokens=3), clock)
        (ask,) = crowd.asking()
        for seconds in (2.0, 0.5, 0.5):
            clock.pass_s(seconds)
            crowd.hears(ask.id, [7])

        found = figures(crowd, last_arrival_s=0.0, peak_bytes=1)

        assert crowd.done
        assert (found.first_token_p50_s, found.token_p50_s, found.seconds) == (2.0, 0.5, 3.0)
        assert found.tokens_per_s == 1.0
        assert found.prefilled_share is None

    def test_the_next_turn_is_asked_after_the_reply_and_holds_it(self, clock: Clock) -> None:
        asked = sessions(VOCABULARY, 1, 2)
        crowd = crowd_of(asked, clock)
        (first,) = crowd.asking()
        reply = list(range(first.reply_tokens))

        crowd.hears(first.id, reply)
        (second,) = crowd.asking()

        assert second.prompt_ids == (*first.prompt_ids, *reply, *asked.sessions[0].exchanges[1].said_ids)

    def test_what_was_prefilled_is_summed(self, clock: Clock) -> None:
        crowd = crowd_of(equal(VOCABULARY, 2, 10, 1), clock)
        for ask in crowd.asking():
            clock.pass_s(1.0)
            crowd.hears(ask.id, [7])
            crowd.hears_prefill(ask.id, 4)

        assert figures(crowd, 0.0, 1).prefilled_share == 0.4

    def test_tokens_are_counted_while_people_arrive(self, clock: Clock) -> None:
        asked = storm(VOCABULARY, 2, per_s=1.0)
        crowd = crowd_of(asked, clock)
        (first,) = crowd.asking()
        crowd.hears(first.id, [7] * first.reply_tokens)
        crowd.wait()
        (second,) = crowd.asking()
        clock.pass_s(1.0)
        crowd.hears(second.id, [7] * second.reply_tokens)

        assert crowd.tokens_while_arriving == first.reply_tokens

    def test_a_token_too_many_is_an_error(self, clock: Clock) -> None:
        crowd = crowd_of(equal(VOCABULARY, 1, 4, 2), clock)
        (ask,) = crowd.asking()

        with pytest.raises(ValueError, match="asked for 2 tokens"):
            crowd.hears(ask.id, [1, 2, 3])

    def test_a_request_without_an_answer_is_an_error(self, clock: Clock) -> None:
        crowd = crowd_of(equal(VOCABULARY, 1, 4, 2), clock)
        crowd.asking()

        with pytest.raises(RuntimeError, match="1 requests were left"):
            crowd.wait()

    def test_a_long_dialogue_is_trimmed_in_steps(self) -> None:
        (session,) = sessions(Vocabulary(500, window=256), 1, 60).sessions
        dialogue, room = Dialogue(session, 256), 256 - SESSIONS.reply[1]
        lengths = []
        while not dialogue.finished:
            ask = dialogue.next_ask()
            assert ask.prompt_ids[: ask.persona_tokens] == session.persona_ids
            lengths.append(len(ask.prompt_ids))
            dialogue.answer([7] * ask.reply_tokens)

        trims = sum(1 for one, two in pairwise(lengths) if two < one)
        assert max(lengths) <= room
        assert 0 < trims < 30


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(100, 0, -1)]

    assert [percentile(values, percent) for percent in (50, 95, 100)] == [50.0, 95.0, 100.0]
    assert percentile([3.0], 95) == 3.0


def test_a_median_takes_each_figure_by_itself() -> None:
    rounds = [replace(FIGURES, tokens_per_s=rate, prefilled_tokens=None) for rate in (3.0, 1.0, 2.0)]

    assert median(rounds) == replace(FIGURES, tokens_per_s=2.0, prefilled_tokens=None)


def test_the_json_names_tokens_per_second_by_requests_and_rival() -> None:
    runs = [
        Run("equal", "32", "static", replace(FIGURES, tokens_per_s=100.0)),
        Run("equal", "32", "banter", FIGURES),
        Run("equal", "1", "banter", FIGURES),
        Run("sessions", "16x10", "banter", FIGURES),
    ]
    conditions = Conditions("gpt2", threads=2, machine="a machine", window=1024, rounds=1)

    found = json.loads(json.dumps(content(conditions, runs, 0.0, {"vllm": "not installed"})))

    assert found["equal"] == {"32": {"static": 100.0, "banter": 128.0}, "1": {"banter": 128.0}}
    assert found["figures"]["sessions"]["16x10"]["banter"]["prefilled_tokens"] == 150
    assert found["missing"] == {"vllm": "not installed"}
    assert len(found["runs"]) == 4


def test_targets_compare_pairs_of_one_round() -> None:
    rates = {"static": [100.0, 50.0, 80.0], "banter": [110.0, 60.0, 40.0]}
    runs = [
        Run("equal", "32", rival, replace(FIGURES, tokens_per_s=rate))
        for rival, measured in rates.items()
        for rate in measured
    ]
    runs.append(Run("sessions", "16x10", "banter", FIGURES))

    ratio, share = targets(runs)

    assert (ratio.value, ratio.held) == (1.1, True)
    assert (share.value, share.held) == (0.15, True)


def test_a_storm_is_compared_at_both_loads() -> None:
    slow = replace(FIGURES, tokens_per_s=60.0, tokens_per_s_while_arriving=50.0, first_token_p95_s=4.0)
    fast = replace(FIGURES, tokens_per_s=96.0, tokens_per_s_while_arriving=70.0, first_token_p95_s=1.0)
    measured = {"static": slow, "banter": fast}
    runs = [Run("storm", load, rival, found) for load in ("1.5", "0.5") for rival, found in measured.items()]

    assert [(target.value, target.held) for target in targets(runs)] == [
        (1.6, True),
        (1.4, False),
        (0.25, True),
        (0.25, True),
    ]
