"""A tiny network with two adapters in the engine, and what PEFT says that it writes."""

from dataclasses import dataclass
from pathlib import Path

from core.generation.engine import Engine, Job
from core.generation.messages import Answer, Finished, Score, Submit
from core.generation.request import ModelSpec, SamplingParams, ScorePair
from tests.integration.tiny_adapters import adapted, greedy, save_adapter
from tests.integration.tiny_networks import save_tiny_network

NEW_TOKENS = 16
GREEDY = SamplingParams(temperature=0, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS)
PROMPT = tuple(range(5, 45))
OTHER_PROMPT = tuple(range(200, 150, -2))


@dataclass(frozen=True)
class Tiny:
    """A network with two adapters."""

    base: Path
    first: Path
    second: Path

    def spec(self, adapter: Path | None = None) -> ModelSpec:
        return ModelSpec("tiny", str(self.base), adapter=str(adapter or ""))


def tiny(architecture: str, folder: Path) -> Tiny:
    base = save_tiny_network(architecture, folder / "base")
    attention = {"gpt2": ["c_attn"], "llama": ["q_proj", "v_proj"]}[architecture]
    first = save_adapter(base, folder / "first", seed=1, target_modules=attention)
    return Tiny(base, first, save_adapter(base, folder / "second", seed=2, use_rslora=True))


def job(name: str, spec: ModelSpec, prompt: tuple[int, ...] = PROMPT, **changes: object) -> Submit:
    wanted: dict[str, object] = {"stop_ids": frozenset({0}), "seed": 1, "timeout_s": 60.0, "sampling": GREEDY}
    return Submit.model_validate({"id": name, "model": spec, "prompt_ids": prompt} | wanted | changes)


def score(name: str, spec: ModelSpec, *pairs: ScorePair) -> Score:
    return Score(id=name, model=spec, pairs=pairs, timeout_s=60.0)


def run(engine: Engine, *jobs: Job) -> dict[str, Answer]:
    """The last answer to each, run together."""
    for one in jobs:
        engine.submit(one)
    answers: dict[str, Answer] = {}
    while engine.busy:
        for answer in engine.step():
            answers[answer.id] = answer
    return answers


def texts(answers: dict[str, Answer]) -> dict[str, tuple[int, ...]]:
    return {name: finished(answer).hypotheses[0].token_ids for name, answer in answers.items()}


def finished(answer: Answer) -> Finished:
    assert isinstance(answer, Finished), answer
    return answer


def expected(model: Tiny, adapter: Path | None, prompt: tuple[int, ...] = PROMPT) -> tuple[int, ...]:
    return greedy(adapted(model.base, adapter), prompt, NEW_TOKENS)
