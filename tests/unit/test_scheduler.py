"""Who runs, in what order, and how much of each prompt is read: tokens and slots, no tensors."""

import pytest

from core.dialogue import FinishReason
from core.errors import RequestFailed
from core.generation.scheduler import RECOVERY_STEPS, SMALLEST_CHUNK, BatchLimits
from tests.unit.paper_engine import PaperEngine, job, text


def test_as_many_run_as_there_is_room_and_the_others_wait() -> None:
    engine = PaperEngine(slots=2)
    engine.submit(job("a"), job("b"), job("c"))
    engine.step()

    assert engine.running == ["a", "b"]
    engine.end("a")
    engine.step()
    assert engine.running == ["b", "c"]


def test_fewer_run_than_there_are_slots_so_that_some_are_kept() -> None:
    engine = PaperEngine(slots=4, limits=BatchLimits(running=2))
    engine.submit(job("a"), job("b"), job("c"))
    engine.step()

    assert engine.running == ["a", "b"]


def test_who_came_first_goes_first_and_higher_priority_before() -> None:
    engine = PaperEngine(slots=1)
    engine.submit(job("a"), job("b"), job("urgent", priority=1), job("c"))
    engine.run()

    assert list(engine.finished) == ["urgent", "a", "b", "c"]


def test_every_reply_is_whole_whatever_runs_beside_it() -> None:
    engine = PaperEngine(slots=3, limits=BatchLimits(running=3, prefill_tokens=4, prefill_tokens_alone=7))
    lengths = {"a": 3, "b": 40, "c": 11, "d": 1, "e": 23}
    engine.submit(*(job(name, length, 5) for name, length in lengths.items()))
    engine.run()

    assert {name: engine.texts(name) for name in lengths} == {
        n: [text(job(n, k).prompt_ids, 5)] for n, k in lengths.items()
    }


def test_a_long_prompt_is_read_in_large_pieces_while_nothing_else_runs() -> None:
    engine = PaperEngine(limits=BatchLimits(prefill_tokens=4, prefill_tokens_alone=10))
    engine.submit(job("long", 25))

    assert [engine.step() for _ in range(4)] == [[("long", 10)], [("long", 10)], [("long", 5)], [("long", 1)]]


def test_a_long_prompt_is_read_in_small_pieces_beside_replies() -> None:
    engine = PaperEngine(limits=BatchLimits(prefill_tokens=4, prefill_tokens_alone=10))
    engine.submit(job("talks", 5, 9))
    engine.step()
    engine.submit(job("long", 9))

    assert engine.step() == [("talks", 1), ("long", 4)]
    assert engine.step() == [("talks", 1), ("long", 4)]
    assert engine.step() == [("talks", 1), ("long", 1)]


def test_a_piece_is_shared_by_several_prompts_the_most_urgent_first() -> None:
    engine = PaperEngine(limits=BatchLimits(prefill_tokens_alone=10))
    engine.submit(job("a", 6), job("b", 6), job("urgent", 3, priority=1), job("c", 6))

    assert engine.step() == [("urgent", 3), ("a", 6), ("b", 1)]


def test_what_is_read_in_pieces_draws_only_at_its_end() -> None:
    engine = PaperEngine(limits=BatchLimits(prefill_tokens_alone=10))
    engine.submit(job("long", 25))

    drawn = []
    for _ in range(3):
        engine.step()
        drawn.append([len(chunk.draws) for chunk in engine.chunks])

    assert drawn == [[0], [0], [1]]


def test_a_request_of_higher_priority_takes_the_place_of_the_latest_of_the_lowest() -> None:
    engine = PaperEngine(slots=2)
    engine.submit(job("a"), job("b"))
    engine.step()
    engine.submit(job("urgent", priority=1))
    engine.step()

    assert engine.running == ["a", "urgent"]
    engine.run()
    assert engine.texts("b") == [text(job("b").prompt_ids, 4)]


def test_a_preempted_request_goes_on_from_what_it_has_read() -> None:
    engine = PaperEngine(slots=3, limits=BatchLimits(running=1))
    engine.submit(job("a", 9))
    engine.step()
    engine.submit(job("urgent", priority=1, new_tokens=1))
    engine.run()

    assert engine.finished["a"].timings.prefilled_tokens == 9


def test_nobody_has_to_wait_again_where_that_would_not_make_room() -> None:
    engine = PaperEngine(slots=3)
    engine.submit(job("b", priority=5, new_tokens=20), job("a", new_tokens=20))
    engine.step()
    engine.submit(job("many", candidates=3, priority=3))
    engine.step()

    assert engine.running == ["b", "a"]


def test_candidates_share_one_prefill_and_then_write_each_its_own() -> None:
    engine = PaperEngine(slots=4)
    engine.submit(job("a", 6, candidates=3))

    assert engine.step() == [("a", 6)]
    assert engine.step() == [("a", 1)] * 3
    engine.run()
    assert engine.finished["a"].timings.prefilled_tokens == 6
    assert engine.texts("a") == [text(job("a", 6).prompt_ids, 4, candidate) for candidate in range(3)]


def test_candidates_run_together_or_not_at_all() -> None:
    engine = PaperEngine(slots=3)
    engine.submit(job("a"), job("many", candidates=3), job("b"))
    engine.step()

    assert engine.running == ["a"]
    engine.run()
    assert list(engine.finished) == ["a", "many", "b"]


def test_preempted_candidates_go_on_each_from_its_own() -> None:
    engine = PaperEngine(slots=4, limits=BatchLimits(running=3))
    engine.submit(job("many", 6, candidates=3))
    engine.step()
    engine.step()
    engine.submit(job("urgent", priority=1))
    engine.run()

    assert engine.texts("many") == [text(job("many", 6).prompt_ids, 4, candidate) for candidate in range(3)]


def test_more_candidates_than_can_ever_run_are_refused() -> None:
    with pytest.raises(RequestFailed, match="5 candidates at once, but 4 replies fit"):
        PaperEngine(slots=4).submit(job("a", candidates=5))


def test_a_prefix_is_read_with_the_prompt_and_counts_as_written() -> None:
    engine = PaperEngine()
    whole = text(job("a").prompt_ids, 4)
    engine.submit(job("a", prefix_ids=whole[:3]))

    assert engine.step() == [("a", 8)]
    assert engine.texts("a") == [whole]


def test_a_short_memory_sends_the_later_half_back() -> None:
    engine = PaperEngine(slots=4)
    engine.submit(*(job(name, new_tokens=9) for name in "abcd"))
    engine.step()

    assert engine.short_of_memory()
    engine.step()
    assert engine.running == ["a", "b"]
    assert engine.short_of_memory()
    assert not engine.short_of_memory()
    engine.run()
    assert [engine.texts(name) for name in "abcd"] == [[text(job("a").prompt_ids, 9)]] * 4


def test_one_that_runs_alone_reads_its_prompt_in_smaller_pieces() -> None:
    engine = PaperEngine(limits=BatchLimits(prefill_tokens_alone=100))
    engine.submit(job("a", 80))

    assert engine.short_of_memory()
    assert engine.step() == [("a", 40)]
    assert engine.short_of_memory()
    assert engine.step() == [("a", 20)]
    assert engine.short_of_memory()
    assert engine.step() == [("a", SMALLEST_CHUNK)]
    assert not engine.short_of_memory()


def test_after_many_good_steps_as_many_run_as_before() -> None:
    engine = PaperEngine(slots=4)
    engine.submit(*(job(name, new_tokens=3 * RECOVERY_STEPS) for name in "abcd"))
    engine.step()
    engine.short_of_memory()
    engine.short_of_memory()

    running = []
    for _ in range(2 * RECOVERY_STEPS + 1):
        engine.step()
        running.append(len(engine.running))

    assert sorted(set(running)) == [1, 2, 4]
    assert running == sorted(running)


def test_a_held_request_gives_its_place_to_others_and_goes_on_later() -> None:
    engine = PaperEngine(slots=2, limits=BatchLimits(running=1))
    engine.submit(job("a", 6), job("b"))
    engine.step()
    engine.hold("a", held=True)
    engine.run()
    assert list(engine.finished) == ["b"]
    assert not engine.scheduler.can_run

    engine.hold("a", held=False)
    engine.run()
    assert engine.texts("a") == [text(job("a", 6).prompt_ids, 4)]
    assert engine.finished["a"].timings.prefilled_tokens == 6


def test_what_waits_can_be_withdrawn_and_goes_on_elsewhere() -> None:
    engine = PaperEngine(slots=2)
    engine.submit(job("a"), job("b"), job("c"))
    engine.step()
    engine.hold("b", held=True)

    withdrawn = {one.id: one for one in engine.scheduler.withdraw()}

    assert set(withdrawn) == {"b", "c"}
    assert withdrawn["b"].prefix_ids == text(job("b").prompt_ids, 1)
    assert len(engine.scheduler) == 1
    elsewhere = PaperEngine()
    elsewhere.submit(*withdrawn.values())
    elsewhere.run()
    assert elsewhere.texts("b") == [text(job("b").prompt_ids, 4)]


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("steps", range(5))
def test_ending_in_any_state_gives_the_slots_back(steps: int, held: bool) -> None:
    engine = PaperEngine(slots=4, limits=BatchLimits(running=4, prefill_tokens_alone=4))
    engine.submit(job("a", 10, 3, candidates=3))
    for _ in range(steps):
        engine.step()
    engine.hold("a", held=held)
    engine.end("a")

    assert engine.table.active == 0
    assert len(engine.scheduler) == 0
    assert engine.scheduler.end("a") is None


def test_an_ended_request_says_why_and_what_it_wrote() -> None:
    engine = PaperEngine()
    engine.submit(job("a"))
    engine.step()
    engine.end("a")

    (hypothesis,) = engine.finished["a"].hypotheses
    assert hypothesis.finish_reason is FinishReason.CANCELLED
    assert hypothesis.token_ids == text(job("a").prompt_ids, 1)


def test_of_a_broken_request_nothing_is_kept() -> None:
    engine = PaperEngine()
    engine.submit(job("a", session="s"))
    engine.step()
    engine.end("a", broken=True)

    assert engine.key_values.wiped == [0]
    assert engine.table.retained == 0
