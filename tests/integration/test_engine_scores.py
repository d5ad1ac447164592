"""Scores: the log probability of given text, many pairs at once, in small pieces beside replies."""

import random
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from core.dialogue import FinishReason
from core.generation.messages import Failed, Finished, Scores
from core.generation.request import ModelSpec, ScorePair
from tests.integration.engine_runs import PROMPT, Drive, by_generate, job, own_network, score
from tests.integration.tiny_networks import CONFIGS, FALLBACKS, VOCABULARY, save_tiny_network

DECODERS = sorted({*CONFIGS, *FALLBACKS} - {"blenderbot"})


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelSpec]:
    names = [*DECODERS, "blenderbot"]
    return {name: ModelSpec(name, str(save_tiny_network(name, tmp_path_factory.mktemp("model")))) for name in names}


@pytest.fixture(scope="module")
def drive() -> Drive:
    return Drive()


@pytest.fixture
def spec(folders: dict[str, ModelSpec]) -> ModelSpec:
    return folders["gpt2"]


def pairs(count: int, longest: int = 50) -> list[ScorePair]:
    draw = random.Random(2)

    def ids(least: int) -> tuple[int, ...]:
        return tuple(draw.randrange(VOCABULARY) for _ in range(draw.randrange(least, longest)))

    return [ScorePair(ids(1), ids(0)) for _ in range(count)]


def alone(spec: ModelSpec, pair: ScorePair) -> float:
    """By a plain forward of this pair, without padding."""
    with torch.inference_mode():
        logits: Tensor = own_network(spec)(torch.tensor([[*pair.prefix_ids, *pair.continuation_ids]])).logits[0]
    predicted = logits.double().log_softmax(-1)[len(pair.prefix_ids) - 1 :]
    return sum(float(row[token]) for row, token in zip(predicted, pair.continuation_ids, strict=False))


@pytest.mark.parametrize("name", DECODERS)
def test_scores_are_those_of_a_plain_forward_of_each_pair(
    drive: Drive, folders: dict[str, ModelSpec], name: str
) -> None:
    asked = [*pairs(9), ScorePair(PROMPT, ())]

    scores = drive.scores(score(folders[name], asked))

    assert scores == pytest.approx([alone(folders[name], pair) for pair in asked], abs=2e-3)
    assert scores[-1] == 0


def test_padding_has_no_say_in_a_score(drive: Drive, spec: ModelSpec) -> None:
    short, long = ScorePair((5,), (6,)), ScorePair(PROMPT, PROMPT)

    together = drive.scores(score(spec, [short, long, short]))

    assert together[0] == together[2] == pytest.approx(drive.scores(score(spec, [short]))[0], abs=1e-5)


def test_no_pairs_have_no_scores(drive: Drive, spec: ModelSpec) -> None:
    assert drive.scores(score(spec, [])) == ()


@pytest.fixture
def sizes(drive: Drive, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Rows and tokens of every forward for scores."""
    network = drive.network(spec)
    read_whole = network.read_whole
    seen: list[tuple[int, int]] = []

    def look(token_ids: Tensor, adapter: str = "") -> Tensor:
        seen.append((token_ids.shape[0], token_ids.shape[1]))
        return read_whole(token_ids, adapter)

    monkeypatch.setattr(network, "read_whole", look)
    return seen


def test_a_long_job_is_done_in_pieces(drive: Drive, spec: ModelSpec, sizes: list[tuple[int, int]]) -> None:
    drive.scores(score(spec, pairs(60)))

    assert len(sizes) > 2
    assert all(rows * tokens <= 1024 for rows, tokens in sizes)
    assert sum(rows for rows, _ in sizes) == 60


def test_beside_replies_the_pieces_are_small_and_nobody_waits(
    drive: Drive, spec: ModelSpec, sizes: list[tuple[int, int]]
) -> None:
    asked = pairs(30, longest=20)
    drive.run(job(spec), score(spec, asked))

    assert drive.text("job") == by_generate(spec, PROMPT)
    last = drive.last("score")
    assert isinstance(last, Scores)
    assert last.log_probabilities == pytest.approx([alone(spec, pair) for pair in asked], abs=2e-3)
    beside = sizes[:13]  # a reply of 12 tokens whose prompt is read in 2 pieces takes so many steps
    assert len(beside) > 2
    assert all(rows * tokens <= 128 for rows, tokens in beside[:-1])


def test_the_more_urgent_job_is_scored_first(drive: Drive, spec: ModelSpec) -> None:
    drive.submit(score(spec, pairs(60), id="later"), score(spec, pairs(60), id="urgent", priority=1))
    ended: list[str] = []
    while drive.engine.can_step:
        ended.extend(answer.id for answer in drive.step())

    assert ended == ["urgent", "later"]


@pytest.mark.parametrize("steps", [0, 1])
def test_an_ended_job_fails_and_says_why(drive: Drive, spec: ModelSpec, steps: int) -> None:
    drive.submit(score(spec, pairs(60)))
    for _ in range(steps):
        drive.step()
    drive.cancel("score", FinishReason.DEADLINE)
    drive.run()

    assert drive.reason("score") == "scoring was ended before it was done (deadline)"
    assert not drive.engine.busy


def fail_where(
    drive: Drive, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch, error: Exception, most_tokens: int
) -> None:
    network = drive.network(spec)
    read_whole = network.read_whole

    def troubled(token_ids: Tensor, adapter: str = "") -> Tensor:
        if token_ids.numel() > most_tokens:
            raise error
        return read_whole(token_ids, adapter)

    monkeypatch.setattr(network, "read_whole", troubled)


def test_too_little_memory_halves_the_pieces(drive: Drive, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = pairs(20)
    fail_where(drive, spec, monkeypatch, torch.OutOfMemoryError("CUDA out of memory"), 200)

    assert drive.scores(score(spec, asked)) == pytest.approx([alone(spec, pair) for pair in asked], abs=2e-3)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), ValueError("a bug")])
def test_a_job_that_cannot_be_done_fails_alone(
    drive: Drive, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fail_where(drive, spec, monkeypatch, error, 60)
    drive.run(score(spec, pairs(20), id="bad"), score(spec, [ScorePair((5,), (6,))]), job(spec))

    assert drive.reason("bad") == f"scoring failed with {type(error).__name__}; see engine.log"
    assert isinstance(drive.last("score"), Scores)
    assert drive.text("job") == by_generate(spec, PROMPT)


def test_a_lost_device_ends_the_step(drive: Drive, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_where(drive, spec, monkeypatch, torch.AcceleratorError("CUDA error: device-side assert triggered"), 0)
    drive.submit(score(spec, pairs(2)))

    with pytest.raises(torch.AcceleratorError):
        drive.step()
    drive.cancel("score")
    drive.run()


REFUSED: dict[str, tuple[Sequence[ScorePair], str]] = {
    "nothing before it": ([ScorePair((), (5,))], "needs at least one token before"),
    "no token of the model": ([ScorePair((5,), (512,))], "token 512 is none of the 512 that gpt2 knows"),
    "more than the model sees": ([ScorePair((5,) * 200, (5,) * 57)], "257 tokens to score, but gpt2 sees 256"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_pairs_that_cannot_be_scored_are_refused(drive: Drive, spec: ModelSpec, name: str) -> None:
    asked, reason = REFUSED[name]
    drive.run(score(spec, asked))

    assert reason in drive.reason("score")


def test_an_encoder_decoder_scores_nothing_and_says_so(drive: Drive, folders: dict[str, ModelSpec]) -> None:
    drive.run(score(folders["blenderbot"], pairs(2)), job(folders["blenderbot"]))

    assert "encoder-decoder" in drive.reason("score")
    assert isinstance(drive.last("job"), Finished)
    assert isinstance(drive.last("score"), Failed)
