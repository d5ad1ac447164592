"""Text to ids and back: what is control, what is data, and which files say so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, normalizers

from core.errors import ModelBroken
from core.generation.tokenizer import Tokenizer
from tests.unit.tiny_tokenizers import KINDS, byte_level

WITHOUT_DEADLINE = settings(deadline=None, derandomize=True, max_examples=150)

LITERALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<s>", "</s>", "<unk>")
HALVES = ("<|im_", "start|>", "<|", "|>", "<", ">", "<s", "/s>", "<thi", "nk>", "endoftext|>")
nasty_texts = st.lists(
    st.sampled_from((*LITERALS, *HALVES, " ", "  ", "\n", "hello", " the", "é", "😀", "▁")) | st.text(max_size=4),
    max_size=12,
).map("".join)


@pytest.fixture(scope="module", params=list(KINDS))
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer.load(KINDS[request.param](tmp_path_factory.mktemp("tokenizer")))


@pytest.fixture(scope="module")
def chatml(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer.load(byte_level(tmp_path_factory.mktemp("chatml")))


class TestData:
    @WITHOUT_DEADLINE
    @given(text=nasty_texts)
    def test_what_somebody_wrote_never_becomes_control(self, tokenizer: Tokenizer, text: str) -> None:
        assert tokenizer.control_ids.isdisjoint(tokenizer.encode_data(text))

    @WITHOUT_DEADLINE
    @given(text=nasty_texts)
    def test_nothing_of_it_is_lost(self, chatml: Tokenizer, text: str) -> None:
        assert chatml.decode(chatml.encode_data(text)) == text

    @WITHOUT_DEADLINE
    @given(text=st.text(alphabet=st.characters(exclude_characters="<>|", exclude_categories=["Cs"])))
    def test_a_text_without_control_is_encoded_as_ever(self, tokenizer: Tokenizer, text: str) -> None:
        assert tokenizer.encode_data(text) == tokenizer.encode(text)

    def test_control_is_recognised_where_it_is_meant(self, chatml: Tokenizer) -> None:
        assert chatml.encode("<|im_end|>") == [chatml.end_of_text_id]

    def test_added_white_space_is_not_control(self, chatml: Tokenizer) -> None:
        assert chatml.encode_data("a  b") == chatml.encode("a  b")
        assert len(chatml.encode("  ")) == 1

    def test_a_normaliser_that_makes_control_of_look_alikes_is_no_way_in(self, tmp_path: Path) -> None:
        folder = byte_level(tmp_path)
        backend = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        backend.normalizer = normalizers.NFKC()
        backend.add_tokens([AddedToken("<tool>", normalized=True)])
        backend.save(str(folder / "tokenizer.json"))
        tokenizer = Tokenizer.load(folder)

        assert not tokenizer.control_ids.isdisjoint(tokenizer.encode("＜tool＞"))
        assert tokenizer.control_ids.isdisjoint(tokenizer.encode_data("a ＜tool＞"))

    def test_data_and_the_text_around_it_do_not_make_control_together(self, chatml: Tokenizer) -> None:
        ids = chatml.encode_marked("<|im_start|>user\n<|im_end|><|im_end|>", ((17, 23),))

        assert [id_ for id_ in ids if id_ in chatml.control_ids] == chatml.encode("<|im_start|><|im_end|>")

    def test_a_megabyte_is_counted_by_its_beginning(self, chatml: Tokenizer) -> None:
        assert chatml.count("a" * 1_000_000) == pytest.approx(1_000_000 * chatml.count("a" * 16_384) / 16_384, rel=0.01)
        assert chatml.count("") == 0


class TestFiles:
    def test_the_fingerprint_is_that_of_the_vocabulary(self, tmp_path: Path) -> None:
        first = Tokenizer.load(byte_level(tmp_path / "a"))
        again = Tokenizer.load(byte_level(tmp_path / "a", template="{{ messages }}"))
        other = Tokenizer.load(KINDS["unigram"](tmp_path / "b"))

        assert first.fingerprint == again.fingerprint != other.fingerprint

    def test_stop_ids_come_from_every_file_that_names_one(self, tmp_path: Path) -> None:
        folder = byte_level(tmp_path)
        (folder / "generation_config.json").write_text('{"eos_token_id": [1, 2]}')
        (folder / "config.json").write_text('{"eos_token_id": 0}')
        tokenizer = Tokenizer.load(folder)

        assert tokenizer.stop_ids == {0, 1, 2}
        assert tokenizer.end_of_text_id == 2

    @pytest.mark.parametrize(
        "value", ["T", [{"name": "tool_use", "template": "other"}, {"name": "default", "template": "T"}]]
    )
    def test_a_template_is_a_text_or_a_list_of_named_ones(self, tmp_path: Path, value: object) -> None:
        folder = byte_level(tmp_path)
        (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|im_end|>", "chat_template": value}))

        assert Tokenizer.load(folder).chat_template == "T"
        assert Tokenizer.load(folder, chat_template="mine").chat_template == "mine"

    def test_special_texts_are_those_of_the_tokenizer(self, chatml: Tokenizer) -> None:
        assert chatml.special_texts == {"bos_token": "<|endoftext|>", "eos_token": "<|im_end|>"}

    def test_a_gpt2_vocabulary_needs_no_tokenizer_json(self, tmp_path: Path) -> None:
        vocabulary = {**{chr(letter): letter - 97 for letter in range(97, 123)}, "he": 26, "<|endoftext|>": 27}
        (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
        (tmp_path / "merges.txt").write_text("#version: 0.2\nh e\n")
        tokenizer = Tokenizer.load(tmp_path)

        assert tokenizer.encode("hey<|endoftext|>") == [26, 24, 27]
        assert tokenizer.control_ids.isdisjoint(tokenizer.encode_data("<|endoftext|>"))
        assert (tokenizer.end_of_text_id, tokenizer.vocabulary_size) == (27, 28)

    @pytest.mark.parametrize(
        ("files", "named"),
        [
            ({}, "no tokenizer"),
            ({"tokenizer.json": "{"}, "tokenizer.json"),
            ({"tokenizer.json": "\x00"}, "tokenizer.json"),
            ({"vocab.json": "[]", "merges.txt": ""}, "vocab.json"),
            ({"vocab.json": '{"a": 0}', "merges.txt": ""}, "vocab.json"),
            ({"vocab.json": '{"<|endoftext|>": 0}', "merges.txt": "x y\n"}, "merges.txt"),
        ],
    )
    def test_a_damaged_file_is_named_in_one_line(self, tmp_path: Path, files: dict[str, str], named: str) -> None:
        for name, content in files.items():
            (tmp_path / name).write_text(content)

        with pytest.raises(ModelBroken, match=named) as raised:
            Tokenizer.load(tmp_path)
        assert "\n" not in str(raised.value)

    @pytest.mark.parametrize("name", ["tokenizer_config.json", "config.json", "generation_config.json"])
    def test_a_damaged_configuration_is_named_too(self, tmp_path: Path, name: str) -> None:
        folder = byte_level(tmp_path)
        (folder / name).write_text("nonsense")

        with pytest.raises(ModelBroken, match=name):
            Tokenizer.load(folder)

    def test_a_template_that_is_no_text_is_named_too(self, tmp_path: Path) -> None:
        (byte_level(tmp_path) / "chat_template.jinja").write_bytes(b"\xff\xfe")

        with pytest.raises(ModelBroken, match=r"chat_template\.jinja"):
            Tokenizer.load(tmp_path)


def test_prompts_are_made_without_torch_and_transformers() -> None:
    modules = "core.generation.tokenizer, core.generation.detokenizer, core.prompt, core.prompt_formats"
    check = f"import sys, {modules}; print([name for name in ('torch', 'transformers') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "[]"
