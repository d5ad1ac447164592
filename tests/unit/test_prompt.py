"""Turns to prompts: within the window, from the same start, with nothing of people's making in control."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings

from core.dialogue import TokenizedText
from core.errors import PromptTooLong
from core.generation.request import Prompt
from core.generation.tokenizer import Span, Tokenizer
from core.prompt import KEPT_SHARE, PromptBuilder, PromptFormat
from core.prompt_formats import ChatFormat, DialoGPTFormat
from tests.unit.chat_templates import CHATML
from tests.unit.dialogues import Exchange, dialogues, gatherings, grow, person, reply
from tests.unit.tiny_tokenizers import byte_level

WITHOUT_DEADLINE = settings(deadline=None, derandomize=True, max_examples=80)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer.load(byte_level(tmp_path_factory.mktemp("tokenizer"), CHATML))


@pytest.fixture(scope="module", params=["dialogpt", "chat"])
def prompt_format(request: pytest.FixtureRequest, tokenizer: Tokenizer) -> PromptFormat:
    return DialoGPTFormat(tokenizer) if request.param == "dialogpt" else ChatFormat(tokenizer)


@pytest.fixture(scope="module")
def builder(tokenizer: Tokenizer, prompt_format: PromptFormat) -> PromptBuilder:
    return PromptBuilder(tokenizer, prompt_format, context_window=200, max_new_tokens=40)


@pytest.fixture(scope="module")
def wide(tokenizer: Tokenizer, prompt_format: PromptFormat) -> PromptBuilder:
    return PromptBuilder(tokenizer, prompt_format, context_window=100_000, max_new_tokens=40)


class TestEveryPrompt:
    @WITHOUT_DEADLINE
    @given(exchanges=dialogues)
    def test_fits_the_window(self, builder: PromptBuilder, tokenizer: Tokenizer, exchanges: list[Exchange]) -> None:
        assert all(len(step.prompt.token_ids) <= 160 for step in grow(builder, tokenizer, exchanges))

    @WITHOUT_DEADLINE
    @given(exchanges=dialogues)
    def test_holds_the_newest_turn_whole_or_says_so(
        self, builder: PromptBuilder, tokenizer: Tokenizer, exchanges: list[Exchange]
    ) -> None:
        for step in grow(builder, tokenizer, exchanges):
            kept = step.prompt.messages[-1].content
            assert kept in tokenizer.decode(step.prompt.token_ids)
            assert step.turns[-1].text.endswith(kept)
            assert (kept == step.turns[-1].text) == (step.prompt.note == "")

    @WITHOUT_DEADLINE
    @given(exchanges=dialogues)
    def test_begins_where_the_last_one_began_while_that_fits(
        self, builder: PromptBuilder, wide: PromptBuilder, tokenizer: Tokenizer, exchanges: list[Exchange]
    ) -> None:
        fixed = builder._fixed_tokens("Be kind.", person(0, ""))
        start: int | None = 0
        for step in grow(builder, tokenizer, exchanges):
            if step.prompt.start_turn_id != start:
                since = [turn for turn in step.turns if start is not None and turn.id >= start]
                assert len(wide.build("Be kind.", since).token_ids) > 160
                history = len(step.prompt.token_ids) - fixed
                assert history <= KEPT_SHARE * (160 - fixed) or step.prompt.turns == 1
            start = step.prompt.start_turn_id

    @WITHOUT_DEADLINE
    @given(exchanges=dialogues)
    def test_goes_on_where_the_last_one_ended(
        self, wide: PromptBuilder, tokenizer: Tokenizer, exchanges: list[Exchange]
    ) -> None:
        read: tuple[int, ...] = ()
        for step in grow(wide, tokenizer, exchanges):
            assert step.prompt.token_ids[: len(read)] == read
            read = step.prompt.token_ids + step.reply_ids

    @WITHOUT_DEADLINE
    @given(exchanges=gatherings)
    def test_has_no_control_but_its_own(
        self, wide: PromptBuilder, tokenizer: Tokenizer, exchanges: list[Exchange]
    ) -> None:
        for step in grow(wide, tokenizer, exchanges):
            harmless = [replace(turn, text="hi", speaker="", tokens=None) for turn in step.turns]
            plain = wide.build("Be kind.", harmless)
            assert _control(tokenizer, step.prompt) == _control(tokenizer, plain)

    def test_keeps_at_most_the_share_of_a_history_that_is_too_long(
        self, builder: PromptBuilder, tokenizer: Tokenizer
    ) -> None:
        turns = [reply(id_, "fine") if id_ % 2 else person(id_, "hello there, how are you?") for id_ in range(99)]
        prompt = builder.build("", turns)
        fixed = builder._fixed_tokens("", turns[-1])

        assert 0.4 * (160 - fixed) < len(prompt.token_ids) - fixed <= KEPT_SHARE * (160 - fixed)
        assert prompt.turns == len(prompt.messages) < 99
        assert prompt.start_turn_id == turns[-prompt.turns].id

    def test_starts_afresh_where_its_last_start_is_gone(self, builder: PromptBuilder) -> None:
        answered = replace(reply(5, "fine"), prompt_start_id=1)

        assert builder.build("", [person(4, "hello"), answered, person(6, "and?")]).start_turn_id == 4

    def test_ignores_ids_of_another_tokenizer(self, builder: PromptBuilder) -> None:
        strange = replace(reply(2, "fine"), tokens=TokenizedText("another", (1, 1, 1)))
        turns = [person(1, "hello"), strange, person(3, "and?")]
        known = [replace(turn, tokens=None) for turn in turns]

        assert builder.build("", turns).token_ids == builder.build("", known).token_ids

    def test_leaves_out_turns_in_which_nothing_was_said(self, builder: PromptBuilder) -> None:
        turns = [person(1, "hello"), reply(2, " "), person(3, "are you there?")]

        assert builder.build("", turns).turns == 2

    def test_answers_a_person(self, builder: PromptBuilder) -> None:
        with pytest.raises(ValueError, match="person"):
            builder.build("", [person(1, "hello"), reply(2, "hi")])


class TestThePersonasPart:
    """The first ids of a prompt, which the engine can share between all dialogues of a persona."""

    @WITHOUT_DEADLINE
    @given(one=dialogues, other=gatherings)
    def test_is_the_same_in_every_dialogue_also_when_its_history_was_trimmed(
        self, builder: PromptBuilder, tokenizer: Tokenizer, one: list[Exchange], other: list[Exchange]
    ) -> None:
        prompts = [step.prompt for exchanges in (one, other) for step in grow(builder, tokenizer, exchanges)]

        assert len({prompt.token_ids[: prompt.persona_tokens] for prompt in prompts}) == 1

    @pytest.mark.parametrize("prompt_format", ["chat"], indirect=True)
    def test_is_the_system_prompt_and_the_head_of_the_first_turn(
        self, builder: PromptBuilder, tokenizer: Tokenizer
    ) -> None:
        for text in ("hi", "word " * 1000):
            prompt = builder.build("Be kind.", [person(1, text)])
            shared = tokenizer.decode_visibly(prompt.token_ids[: prompt.persona_tokens])
            assert shared == "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n"

    def test_is_empty_without_a_system_prompt(self, builder: PromptBuilder) -> None:
        assert builder.build("", [person(1, "hi")]).persona_tokens == 0

    def test_is_empty_where_the_format_has_no_place_for_one(self, tokenizer: Tokenizer) -> None:
        dialogpt = PromptBuilder(tokenizer, DialoGPTFormat(tokenizer), context_window=200, max_new_tokens=40)

        assert dialogpt.build("Be kind.", [person(1, "hi")]).persona_tokens == 0


def _characters_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How long each text was that the tokenizer has been given since."""
    read: list[int] = []
    encoded = Tokenizer.encode_marked

    def counted(tokenizer: Tokenizer, text: str, data: Sequence[Span], *, inside: bool = False) -> tuple[int, ...]:
        read.append(len(text))
        return encoded(tokenizer, text, data, inside=inside)

    monkeypatch.setattr(Tokenizer, "encode_marked", counted)
    return read


def _control(tokenizer: Tokenizer, prompt: Prompt) -> list[int]:
    return [id_ for id_ in prompt.token_ids if id_ in tokenizer.control_ids]


class TestAnOverlongMessage:
    @pytest.mark.parametrize(
        "text", ["so many words " * 75_000, "abc" * 350_000, "😀" * 262_144, "<|im_end|>" * 105_000]
    )
    def test_of_a_megabyte_is_cut_from_its_left_and_hardly_read(
        self, builder: PromptBuilder, text: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = _characters_read(monkeypatch)
        prompt = builder.build("", [person(1, "hi"), reply(2, "hello"), person(3, text)])

        assert 0 < sum(read) < len(text) / 10
        assert 150 <= len(prompt.token_ids) <= 160
        assert prompt.turns == 1
        assert prompt.note.startswith("The message is too long: only its last 1")
        assert text.strip().endswith(prompt.messages[-1].content.strip())

    def test_leaves_the_next_prompt_whole(self, builder: PromptBuilder) -> None:
        cut = builder.build("", [person(1, "word " * 1000)])
        answered = replace(reply(2, "ok"), prompt_start_id=cut.start_turn_id)
        prompt = builder.build("", [person(1, "word " * 1000), answered, person(3, "shorter")])

        assert prompt.start_turn_id in (2, 3)
        assert (prompt.messages[-1].content, prompt.note) == ("shorter", "")

    def test_keeps_its_speaker(self, tokenizer: Tokenizer) -> None:
        builder = PromptBuilder(tokenizer, ChatFormat(tokenizer), context_window=100, max_new_tokens=20)
        prompt = builder.build("", [person(1, "hi", "Ann"), person(2, "word " * 500, "Bob")])

        assert prompt.messages[-1].content.startswith("Bob: ")

    def test_that_has_no_room_at_all_says_what_to_change(self, tokenizer: Tokenizer) -> None:
        builder = PromptBuilder(tokenizer, ChatFormat(tokenizer), context_window=100, max_new_tokens=20)
        with pytest.raises(PromptTooLong, match="system prompt takes"):
            builder.build("word " * 100, [person(1, "hi")])
        with pytest.raises(PromptTooLong, match="max_new_tokens"):
            PromptBuilder(tokenizer, ChatFormat(tokenizer), 100, 100).build("", [person(1, "hi")])
