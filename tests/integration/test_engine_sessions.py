"""What is kept from turn to turn; and requests that are ended, held, or gone on with."""

import pytest

from core.dialogue import FinishReason
from core.generation.messages import Finished
from core.generation.request import ModelSpec, Owner, SamplingParams, ScorePair
from core.generation.scheduler import BatchLimits
from tests.integration.engine_runs import GREEDY, PROMPT, Drive, by_generate, job, score
from tests.integration.tiny_networks import save_tiny_network

PERSONA = tuple(range(100, 130))


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec("gpt2", str(save_tiny_network("gpt2", tmp_path_factory.mktemp("gpt2"))))


@pytest.fixture(scope="module")
def bloom(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec("bloom", str(save_tiny_network("bloom", tmp_path_factory.mktemp("bloom"))))


@pytest.fixture
def drive() -> Drive:
    return Drive(BatchLimits(running=4, prefill_tokens=16, prefill_tokens_alone=32))


def test_the_next_turn_reads_only_what_is_new(drive: Drive, spec: ModelSpec) -> None:
    said = drive.text(job(spec, session="s"))
    longer = (*PROMPT, *said, 7, 8, 9)

    again = drive.finished(job(spec, session="s", prompt_ids=longer))

    assert again.timings.prefilled_tokens == 4  # the last drawn token was never read, and three are new
    assert again.hypotheses[0].token_ids == by_generate(spec, longer)


def test_after_a_stop_token_the_next_turn_reads_it_and_what_is_new(drive: Drive, spec: ModelSpec) -> None:
    stop = by_generate(spec, PROMPT)[4]
    said = drive.text(job(spec, session="s", stop_ids=frozenset({stop})))

    again = drive.finished(job(spec, session="s", prompt_ids=(*PROMPT, *said, stop, 7, 8)))

    assert again.timings.prefilled_tokens == 3


@pytest.mark.parametrize("place", [0, 1, 30, 39, 43])
def test_an_edited_history_is_read_again_from_the_first_difference(drive: Drive, spec: ModelSpec, place: int) -> None:
    said = drive.text(job(spec, session="s"))
    whole = (*PROMPT, *said, 7)
    edited = (*whole[:place], 99, *whole[place + 1 :])

    again = drive.finished(job(spec, session="s", prompt_ids=edited))

    assert again.timings.prefilled_tokens == len(edited) - place
    assert again.hypotheses[0].token_ids == by_generate(spec, edited)


def test_an_undone_turn_leaves_what_came_before_it(drive: Drive, spec: ModelSpec) -> None:
    drive.run(job(spec, session="s"))

    again = drive.finished(job(spec, session="s", prompt_ids=PROMPT[:20]))

    assert again.timings.prefilled_tokens == 1
    assert again.hypotheses[0].token_ids == by_generate(spec, PROMPT[:20])


@pytest.mark.parametrize("session", ["", "other"])
def test_another_session_reads_everything_itself(drive: Drive, spec: ModelSpec, session: str) -> None:
    drive.run(job(spec, session="s"))

    assert drive.finished(job(spec, session=session)).timings.prefilled_tokens == len(PROMPT)


def test_it_tells_how_many_forward_passes_the_platforms_shared(spec: ModelSpec) -> None:
    drive = Drive(BatchLimits(running=4, prefill_tokens=64, prefill_tokens_alone=64))
    sampling = SamplingParams(max_new_tokens=4)
    drive.run(*(job(spec, sampling, id=one, owner=Owner(one, "", "anna")) for one in ("slack", "discord")))
    drive.run(job(spec, sampling, id="alone", owner=Owner("slack", "", "ben")))

    (told,) = drive.engine.statistics()
    assert told.forwards == {"discord slack": 4, "discord": 1, "slack": 4}, "the second prompt is read one step later"


def test_of_several_candidates_the_first_ones_slot_is_kept(drive: Drive, spec: ModelSpec) -> None:
    sampling = SamplingParams(candidates=3, max_new_tokens=5)
    first = drive.finished(job(spec, sampling, session="s")).hypotheses[0].token_ids

    again = drive.finished(job(spec, session="s", prompt_ids=(*PROMPT, *first, 7)))

    assert again.timings.prefilled_tokens == 2


def test_a_persona_is_read_once_over_all_sessions(drive: Drive, spec: ModelSpec) -> None:
    prompts = [(*PERSONA, 7, number) for number in range(5)]

    finished = [
        drive.finished(job(spec, session=f"s{n}", prompt_ids=prompt, persona_tokens=len(PERSONA)))
        for n, prompt in enumerate(prompts)
    ]

    assert [one.timings.prefilled_tokens for one in finished] == [32, 2, 2, 2, 2]
    assert [one.hypotheses[0].token_ids for one in finished] == [by_generate(spec, prompt) for prompt in prompts]
    (told,) = drive.engine.statistics()
    assert (told.prefilled_tokens, told.reused_tokens, told.drawn_tokens) == (40, 120, 60)
    assert (told.slots, told.running, told.retained) == (8, 0, 5)


@pytest.mark.parametrize("steps", [0, 1, 2, 4])
@pytest.mark.parametrize("reason", [FinishReason.CANCELLED, FinishReason.DEADLINE])
def test_an_ended_request_keeps_what_it_wrote_and_says_why(
    drive: Drive, spec: ModelSpec, steps: int, reason: FinishReason
) -> None:
    """Before its model is loaded, while its prompt is read, while it is written."""
    drive.submit(job(spec))
    for _ in range(steps):
        drive.step()
    drive.cancel("job", reason)
    drive.run()

    (hypothesis,) = drive.finished("job").hypotheses
    assert hypothesis.finish_reason is reason
    assert hypothesis.token_ids == drive.streamed("job") == by_generate(spec, PROMPT)[: max(steps - 1, 0)]
    assert not drive.engine.busy


def test_a_cancelled_reply_is_gone_on_from_in_the_next_turn(drive: Drive, spec: ModelSpec) -> None:
    drive.submit(job(spec, session="s"))
    for _ in range(5):
        drive.step()
    drive.cancel("job")
    drive.run()

    again = drive.finished(job(spec, session="s", prompt_ids=(*PROMPT, *drive.text("job"), 7)))

    assert again.timings.prefilled_tokens == 2


def test_what_has_ended_cannot_be_ended_again(drive: Drive, spec: ModelSpec) -> None:
    drive.run(job(spec), score(spec, []))
    for name in ("job", "score", "never heard of"):
        drive.cancel(name)

    assert not drive.engine.can_step


@pytest.mark.parametrize("architecture", ["slots", "generate"])
def test_a_held_request_draws_nothing_until_its_reader_has_caught_up(
    drive: Drive, spec: ModelSpec, bloom: ModelSpec, architecture: str
) -> None:
    asked = spec if architecture == "slots" else bloom
    drive.submit(job(asked), job(asked, id="other"))
    for _ in range(5):
        drive.step()
    drive.engine.hold("job", held=True)
    before = drive.streamed("job")
    drive.run()

    assert drive.streamed("job") == before
    assert drive.engine.busy
    assert drive.text("other") == by_generate(asked, PROMPT)

    drive.engine.hold("job", held=False)
    drive.run()
    assert drive.streamed("job") == drive.text("job") == by_generate(asked, PROMPT)


@pytest.mark.parametrize("architecture", ["slots", "generate"])
def test_a_held_request_can_be_ended(drive: Drive, spec: ModelSpec, bloom: ModelSpec, architecture: str) -> None:
    asked = spec if architecture == "slots" else bloom
    drive.submit(job(asked))
    for _ in range(5):
        drive.step()
    drive.engine.hold("job", held=True)
    drive.cancel("job")
    drive.run()

    assert drive.finished("job").hypotheses[0].finish_reason is FinishReason.CANCELLED
    assert not drive.engine.busy


@pytest.mark.parametrize("architecture", ["slots", "generate"])
def test_those_who_are_held_keep_nobody_from_running(
    drive: Drive, spec: ModelSpec, bloom: ModelSpec, architecture: str
) -> None:
    asked = spec if architecture == "slots" else bloom
    held = [job(asked, id=f"held {n}") for n in range(6)]
    drive.submit(*held)
    for _ in range(5):
        drive.step()
    for one in held:
        drive.engine.hold(one.id, held=True)
    drive.run(job(asked, id="other"))
    assert drive.text("other") == by_generate(asked, PROMPT)

    for one in held:
        drive.engine.hold(one.id, held=False)
    drive.run()
    for one in held:
        assert drive.text(one.id) == drive.streamed(one.id) == by_generate(asked, PROMPT)


def test_nothing_is_remembered_of_a_hold_that_came_too_late(drive: Drive, spec: ModelSpec) -> None:
    drive.run(job(spec))
    drive.engine.hold("job", held=True)
    again = drive.finished(job(spec))

    assert again.hypotheses[0].token_ids == by_generate(spec, PROMPT)


def test_many_more_requests_than_places_with_priorities_are_all_whole(drive: Drive, spec: ModelSpec) -> None:
    prompts = [tuple(range(n, n + 5 + n % 9)) for n in range(20)]
    for n, prompt in enumerate(prompts):
        drive.submit(job(spec, id=str(n), prompt_ids=prompt, priority=n % 3, session=f"s{n % 5}"))
        drive.step()
    drive.run()

    assert [drive.text(str(n)) for n in range(20)] == [by_generate(spec, prompt) for prompt in prompts]
    assert drive.streamed("0") == drive.text("0")


def test_a_prefix_that_is_a_whole_reply_gets_nothing_added(drive: Drive, spec: ModelSpec) -> None:
    whole = by_generate(spec, PROMPT)

    (again,) = drive.finished(job(spec, prefix_ids=whole)).hypotheses

    assert (again.token_ids, again.finish_reason) == (whole, FinishReason.LENGTH)


def test_requests_without_room_or_prompt_are_refused(drive: Drive, spec: ModelSpec) -> None:
    drive.run(
        job(spec, id="long", prompt_ids=(5,) * 150),
        job(spec, id="empty", prompt_ids=()),
        job(spec, SamplingParams(candidates=5, max_new_tokens=2), id="many"),
        job(spec, id="strange", prompt_ids=(5, 512)),
        job(spec, id="negative", prefix_ids=(-1,)),
        job(spec, id="fits", prompt_ids=(5,) * 148),
    )

    assert "150 tokens of prompt and 12 of reply outgrow the 160" in drive.reason("long")
    assert drive.reason("empty") == "the prompt is empty"
    assert "5 candidates at once, but 4 replies fit" in drive.reason("many")
    assert "token 512 is none of the 512 that gpt2 knows" in drive.reason("strange")
    assert "token -1 is none of" in drive.reason("negative")
    assert drive.text("fits") == by_generate(spec, (5,) * 148)


def test_the_log_probability_is_the_sum_over_the_reply(drive: Drive, spec: ModelSpec) -> None:
    finished = drive.finished(job(spec, SamplingParams(max_new_tokens=6, top_k=5)))

    (hypothesis,) = finished.hypotheses
    (scored,) = drive.scores(score(spec, [ScorePair(PROMPT, hypothesis.token_ids)]))
    assert hypothesis.log_probability == pytest.approx(scored, abs=1e-3)


def test_timings_are_told(drive: Drive, spec: ModelSpec) -> None:
    drive.submit(job(spec, GREEDY))
    drive.run()

    timings = drive.finished("job").timings
    assert isinstance(drive.last("job"), Finished)
    assert 0 <= timings.first_token_s <= timings.total_s
    assert timings.queue_s >= 0
