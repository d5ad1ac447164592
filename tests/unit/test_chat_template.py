"""Chat templates: programs from the internet that must do one plain thing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.chat_template import ChatTemplate
from core.dialogue import Role, Turn
from core.errors import NoChatFormat
from core.generation.tokenizer import Tokenizer
from core.prompt_formats import ChatFormat, DialoGPTFormat, choose_format
from tests.unit.chat_templates import CHATML, GEMMA, MISTRAL, QWEN3, TEMPLATES
from tests.unit.test_tokenizer import nasty_texts
from tests.unit.tiny_tokenizers import KINDS, byte_level

WITHOUT_DEADLINE = settings(deadline=None, derandomize=True, max_examples=60)
SPECIAL_TEXTS = {"bos_token": "<s>", "eos_token": "</s>"}
LOOP = "{% for message in messages %}{{ message.content }}{% endfor %}"


@pytest.fixture(scope="module", params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=list(TEMPLATES))
def tokenizer(request: pytest.FixtureRequest, kind: str, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer.load(KINDS[kind](tmp_path_factory.mktemp("tokenizer"), TEMPLATES[request.param]))


@pytest.fixture(scope="module")
def chat(tokenizer: Tokenizer) -> ChatFormat:
    return ChatFormat(tokenizer)


def dialogue(*texts: str) -> list[Turn]:
    return [Turn(id_, Role.ASSISTANT if id_ % 2 else Role.PERSON, text) for id_, text in enumerate(texts)]


class TestControl:
    @WITHOUT_DEADLINE
    @given(system=nasty_texts, contents=st.lists(nasty_texts, min_size=3, max_size=3))
    def test_comes_from_the_template_alone(
        self, chat: ChatFormat, tokenizer: Tokenizer, system: str, contents: list[str]
    ) -> None:
        plain = chat.token_ids("a" if system.strip() else "", dialogue("a", "a", "a"))
        ids = chat.token_ids(system, dialogue(*contents))

        assert _control(tokenizer, ids) == _control(tokenizer, plain)

    @pytest.mark.parametrize("content", ["<|im_end|>", "|im_end|>", "<|im_", "im_end|>x", "<|", "<|im_end|><|im_end|>"])
    def test_is_not_made_by_data_and_template_together(
        self, tmp_path_factory: pytest.TempPathFactory, content: str
    ) -> None:
        touching = "{% for message in messages %}<{{ message.content }}|im_end|>{% endfor %}"
        tokenizer = Tokenizer.load(byte_level(tmp_path_factory.mktemp("touching"), touching))
        ids = ChatFormat(tokenizer).token_ids("", dialogue(content))

        assert _control(tokenizer, ids) == []
        assert tokenizer.decode(ids) == f"<{content}|im_end|>"


def _control(tokenizer: Tokenizer, ids: list[int]) -> list[int]:
    return [id_ for id_ in ids if id_ in tokenizer.control_ids]


class TestSystemPrompt:
    @pytest.mark.parametrize("source", [GEMMA, MISTRAL], ids=["refused", "moved"])
    def test_stands_in_the_first_question_where_the_template_has_no_place_for_it(
        self, tmp_path_factory: pytest.TempPathFactory, source: str
    ) -> None:
        tokenizer = Tokenizer.load(byte_level(tmp_path_factory.mktemp("folded"), source))
        text = tokenizer.decode(ChatFormat(tokenizer).token_ids("Be kind.", dialogue("one", "two", "three")))

        assert "Be kind.\n\none" in text
        assert text.count("Be kind.") == 1

    def test_dropped_by_the_template_is_kept(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        deaf = "{% for message in messages if message.role != 'system' %}{{ message.content }};{% endfor %}"
        tokenizer = Tokenizer.load(byte_level(tmp_path_factory.mktemp("deaf"), deaf))

        assert tokenizer.decode(ChatFormat(tokenizer).token_ids("Be kind.", dialogue("one"))) == "Be kind.\n\none;"


class TestTemplate:
    def test_gives_what_stands_around_the_contents(self) -> None:
        assert ChatTemplate(CHATML, {}).segments(2, system=True) == (
            "<|im_start|>system\n",
            "<|im_end|>\n<|im_start|>user\n",
            "<|im_end|>\n<|im_start|>assistant\n",
        )

    def test_may_look_into_contents(self) -> None:
        assert ChatTemplate(QWEN3, {}).segments(1, system=False)[1].endswith("<think>\n\n</think>\n\n")

    def test_may_ask_for_the_date(self) -> None:
        template = ChatTemplate("{{ strftime_now('%Y') }}" + LOOP, {})

        assert template.segments(1, system=False)[0].isdecimal()

    @pytest.mark.parametrize(
        ("source", "reason"),
        [
            ("{% for %}", "broken"),
            ("{{ unknown_filter | nothing }}", "broken"),
            ("{{ undefined.attribute }}", "refuses"),
            ("{{ raise_exception('not today') }}", "not today"),
            ("{{ 1 / 0 }}", "refuses"),
            ("{{ messages[0]['content'] }}", "loses"),
            (LOOP + LOOP, "doubles"),
            ("{% for message in messages | reverse %}{{ message.content }}{% endfor %}", "reorders"),
            ("fixed words", "loses"),
            ("{{ messages.append(1) }}" + LOOP, "refuses"),
            ("{{ ''.__class__.__mro__ }}" + LOOP, "refuses"),
            ("{% set ns = namespace(__class__=1) %}" + LOOP, "refuses"),
            ("{{ 9 ** 9 ** 9 }}" + LOOP, "powers"),
            ("{% for a in range(10 * 10000000) %}{% endfor %}" + LOOP, "refuses"),
            ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}" + LOOP, "steps"),
            ("{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}" + LOOP, "refuses"),
            (
                "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(40) }}" + LOOP,
                "steps",
            ),
        ],
    )
    def test_that_is_of_no_use_is_refused_in_one_line(self, source: str, reason: str) -> None:
        with pytest.raises(NoChatFormat, match=reason) as raised:
            ChatTemplate(source, SPECIAL_TEXTS)

        assert "\n" not in str(raised.value)
        assert "chat_template" in str(raised.value)

    def test_loops_over_literals_work(self) -> None:
        source = "{% for word in ['a', 'b'] %}{{ loop.index }}{{ word }}{{ loop.last }}{% endfor %}" + LOOP

        assert ChatTemplate(source, {}).segments(1, system=False)[0] == "1aFalse2bTrue"


class TestChoice:
    def test_a_template_makes_a_chat(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        tokenizer = Tokenizer.load(byte_level(tmp_path_factory.mktemp("chat"), CHATML))

        assert isinstance(choose_format(tokenizer), ChatFormat)
        assert isinstance(choose_format(tokenizer, "dialogpt"), DialoGPTFormat)

    @pytest.mark.parametrize("kind_", ["", "chat"])
    def test_without_a_template_the_way_out_is_named(
        self, tmp_path_factory: pytest.TempPathFactory, kind_: str
    ) -> None:
        tokenizer = Tokenizer.load(byte_level(tmp_path_factory.mktemp("bare")))

        with pytest.raises(NoChatFormat, match="chat_template"):
            choose_format(tokenizer, kind_)
