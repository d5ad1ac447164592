"""Prompts of plain dialogues are those that transformers makes of them."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from core.dialogue import Role, Turn
from core.generation.models import ResolvedModel
from core.generation.tokenizer import Tokenizer
from core.prompt import PromptBuilder
from core.prompt_formats import ChatFormat
from tests.unit.chat_templates import TEMPLATES
from tests.unit.tiny_tokenizers import KINDS

WITHOUT_DEADLINE = settings(deadline=None, derandomize=True, max_examples=40)

words = st.sampled_from(
    ("Hello", "what's", "the capital", "of France?", "é", "😀", "…\n\n", "12", "don't", ":", "a  b")
)
sentences = st.lists(words, min_size=1, max_size=8).map(" ".join).map(str.strip)
dialogues = st.lists(sentences, min_size=1, max_size=9).filter(lambda texts: len(texts) % 2 == 1)


@dataclass(frozen=True)
class Model:
    tokenizer: Tokenizer
    chat: ChatFormat
    reference: PreTrainedTokenizerFast

    @classmethod
    def load(cls, folder: Path) -> "Model":
        tokenizer = Tokenizer.load(folder)
        return cls(tokenizer, ChatFormat(tokenizer), PreTrainedTokenizerFast.from_pretrained(folder))

    def check(self, texts: list[str], system_prompt: str) -> None:
        turns = [Turn(id_, Role.ASSISTANT if id_ % 2 else Role.PERSON, text) for id_, text in enumerate(texts)]
        prompt = PromptBuilder(self.tokenizer, self.chat, 100_000, 1).build(system_prompt, turns)
        messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
        expected = self.reference.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)

        assert list(prompt.token_ids) == expected


@pytest.fixture(scope="module", params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=list(TEMPLATES))
def model(request: pytest.FixtureRequest, kind: str, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model.load(KINDS[kind](tmp_path_factory.mktemp("tokenizer"), TEMPLATES[request.param]))


@WITHOUT_DEADLINE
@given(texts=dialogues, system_prompt=st.sampled_from(("", "Be kind, and brief.")))
def test_a_plain_dialogue_is_encoded_as_transformers_does(model: Model, texts: list[str], system_prompt: str) -> None:
    model.check(texts, system_prompt if model.chat._template.knows_system_role else "")


@pytest.fixture(scope="module")
def smollm2(default_model: ResolvedModel) -> Model:
    return Model.load(default_model.folder)


@WITHOUT_DEADLINE
@given(texts=dialogues, system_prompt=st.sampled_from(("", "Be kind, and brief.")))
def test_so_it_is_for_the_default_model(smollm2: Model, texts: list[str], system_prompt: str) -> None:
    smollm2.check(texts, system_prompt)
