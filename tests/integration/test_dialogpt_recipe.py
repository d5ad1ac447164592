"""DialoGPT as its authors run it: ten lines that join history, new ids and the end-of-text token."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from core.dialogue import Role, TokenizedText, Turn
from core.generation.engine import Engine
from core.generation.loaded_models import EngineLimits
from core.generation.messages import Answer, Finished, Submit
from core.generation.request import ModelSpec, SamplingParams
from core.generation.tokenizer import Tokenizer
from core.prompt import PromptBuilder
from core.prompt_formats import DialoGPTFormat
from tests.unit.tiny_tokenizers import byte_level

LINES = ("Hello there!", "What is the capital of France?", "ok , bye 😀")
NEW_TOKENS = 8
#: GPT-2's own vocabulary, where it lies beside the repository.
GPT2_VOCABULARY = Path(__file__).parents[3] / "shared" / "data" / "dialogpt"


@dataclass(frozen=True)
class RecipeStep:
    line: str
    #: History, the new line and its end of text: what the model is given.
    history_ids: tuple[int, ...]
    #: Without the end of text.
    reply_ids: tuple[int, ...]


def recipe(
    model: Any, tokenizer: Tokenizer, lines: Sequence[str], new_tokens: int = NEW_TOKENS
) -> Iterator[RecipeStep]:
    """The recipe, greedy. A model with random weights never ends a reply: the end is forced after `new_tokens`."""
    end = tokenizer.end_of_text_id
    history = torch.empty((1, 0), dtype=torch.long)
    for line in lines:
        new_ids = torch.tensor([[*tokenizer.encode(line), end]])
        given = torch.cat([history, new_ids], dim=-1)
        history = model.generate(
            given,
            attention_mask=torch.ones_like(given),
            max_length=given.shape[-1] + new_tokens + 1,
            do_sample=False,
            pad_token_id=end,
            eos_token_id=end,
            forced_eos_token_id=end,
        )
        reply_ids = history[0, given.shape[-1] : -1]
        yield RecipeStep(line, tuple(given[0].tolist()), tuple(reply_ids.tolist()))


def save_dialogpt_small(folder: Path) -> Path:
    """Weights of DialoGPT-small's shape, drawn from a seed."""
    torch.manual_seed(0)
    config = GPT2Config(n_layer=12, n_embd=768, n_head=12, vocab_size=50_257, n_positions=1024, initializer_range=0.2)
    GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model as the engine wants it: weights, and some tokenizer beside them."""
    return byte_level(save_dialogpt_small(tmp_path_factory.mktemp("dialogpt")))


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder)


@pytest.fixture(scope="module", params=["tiny", "gpt2"])
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    if request.param == "tiny":
        return Tokenizer.load(byte_level(tmp_path_factory.mktemp("tiny")))
    if not (GPT2_VOCABULARY / "vocab.json").is_file():
        pytest.skip("GPT-2's vocabulary is not at hand")
    return Tokenizer.load(GPT2_VOCABULARY)


@pytest.fixture(scope="module")
def steps(model: Any, tokenizer: Tokenizer) -> list[RecipeStep]:
    return list(recipe(model, tokenizer, LINES))


def remembered(tokenizer: Tokenizer, steps: Sequence[RecipeStep]) -> Iterator[list[Turn]]:
    """The turns before each reply, as the memory gives them."""
    turns: list[Turn] = []
    for number, step in enumerate(steps):
        turns.append(Turn(2 * number, Role.PERSON, step.line))
        yield list(turns)
        tokens = TokenizedText(tokenizer.fingerprint, step.reply_ids)
        turns.append(Turn(2 * number + 1, Role.ASSISTANT, tokenizer.decode(step.reply_ids), "", tokens, 0))


def greedy_choices(model: Any, prompt: Sequence[int], reply: Sequence[int]) -> tuple[int, ...]:
    """The likeliest token at every place of the reply: where they are the reply itself, greedy decoding draws it."""
    with torch.inference_mode():
        logits = model(torch.tensor([[*prompt, *reply]])).logits[0]  # [position, vocabulary]
    return tuple(logits[len(prompt) - 1 : -1].argmax(dim=-1).tolist())


def test_every_prompt_is_the_recipes_history(tokenizer: Tokenizer, steps: list[RecipeStep]) -> None:
    builder = PromptBuilder(tokenizer, DialoGPTFormat(tokenizer), context_window=1024, max_new_tokens=256)

    for step, turns in zip(steps, remembered(tokenizer, steps), strict=True):
        assert builder.build("", turns).token_ids == step.history_ids


def test_the_prompts_draw_the_recipes_replies(model: Any, tokenizer: Tokenizer, steps: list[RecipeStep]) -> None:
    builder = PromptBuilder(tokenizer, DialoGPTFormat(tokenizer), context_window=1024, max_new_tokens=256)

    for step, turns in zip(steps, remembered(tokenizer, steps), strict=True):
        prompt = builder.build("", turns).token_ids
        assert greedy_choices(model, prompt, step.reply_ids) == step.reply_ids
    assert len({token_id for step in steps for token_id in step.reply_ids}) > len(steps)


def test_the_engine_draws_the_recipes_replies_turn_by_turn(
    folder: Path, tokenizer: Tokenizer, steps: list[RecipeStep]
) -> None:
    builder = PromptBuilder(tokenizer, DialoGPTFormat(tokenizer), context_window=1024, max_new_tokens=256)
    engine = Engine(EngineLimits("cpu"))

    for number, (step, turns) in enumerate(zip(steps, remembered(tokenizer, steps), strict=True)):
        job = Submit(
            id=f"turn {number}",
            model=ModelSpec("DialoGPT-small's shape", str(folder)),
            prompt_ids=builder.build("", turns).token_ids,
            sampling=SamplingParams(temperature=0, max_new_tokens=NEW_TOKENS),
            seed=0,
            stop_ids=tokenizer.stop_ids,
            timeout_s=60.0,
        )
        engine.submit(job)
        answers: list[Answer] = []
        while engine.busy:
            answers.extend(engine.step())
        last = answers[-1]
        assert isinstance(last, Finished)
        assert last.hypotheses[0].token_ids == step.reply_ids
