"""What a prompt tells of the time before its turns: where it stands, and that it never costs the turns their room."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dialogue import Role, Summary, TokenizedText, Turn
from core.generation.request import Prompt
from core.generation.tokenizer import Tokenizer
from core.prompt import KEPT_SHARE, PromptBuilder
from core.prompt_formats import ChatFormat, DialoGPTFormat
from tests.unit.chat_templates import CHATML
from tests.unit.dialogues import Exchange, dialogues, gatherings, person, reply
from tests.unit.tiny_tokenizers import byte_level

WITHOUT_DEADLINE = settings(deadline=None, derandomize=True, max_examples=60)
ROOM = 260


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer.load(byte_level(tmp_path_factory.mktemp("tokenizer"), CHATML))


@pytest.fixture(scope="module")
def builder(tokenizer: Tokenizer) -> PromptBuilder:
    return PromptBuilder(tokenizer, ChatFormat(tokenizer), context_window=300, max_new_tokens=40)


def talk(exchanges: int) -> list[Turn]:
    """Ends with a question. Ids begin with 1."""
    turns: list[Turn] = []
    for number in range(exchanges):
        turns += [person(2 * number + 1, f"question {number}"), reply(2 * number + 2, f"answer {number}")]
    return [*turns, person(2 * exchanges + 1, "and now?")]


def contents(prompt: Prompt) -> list[str]:
    return [message.content for message in prompt.messages]


class TestSummary:
    def test_stands_before_the_first_turn(self, builder: PromptBuilder) -> None:
        turns = talk(3)[2:]

        plan = builder.plan("Be kind.", turns, [Summary(1, until_turn_id=2, text="They\nmet.")])
        prompt = builder.finish(plan)

        assert contents(prompt)[:3] == ["Be kind.", "[What was said before, in short: They met.]", "question 1"]
        assert (prompt.start_turn_id, prompt.turns) == (3, 5)

    def test_is_not_told_where_it_tells_of_turns_of_the_prompt(self, builder: PromptBuilder) -> None:
        older, newer = Summary(1, until_turn_id=2, text="older"), Summary(2, until_turn_id=4, text="newer")

        assert builder.plan("", talk(3)[2:], [older, newer]).summary == older
        assert builder.plan("", talk(3)[4:], [older, newer]).summary == newer
        assert builder.plan("", talk(3), [older, newer]).summary is None

    def test_that_is_too_long_is_left_out(self, builder: PromptBuilder) -> None:
        plan = builder.plan("", talk(3)[2:], [Summary(1, until_turn_id=2, text="x y " * ROOM)])

        assert plan.summary is None
        assert plan.turns == tuple(talk(3)[2:])

    def test_decides_where_a_full_prompt_begins(self, builder: PromptBuilder) -> None:
        turns = talk(60)
        standard = builder.build("", turns).start_turn_id
        assert standard is not None

        plan = builder.plan("", turns, [Summary(1, until_turn_id=standard - 3, text="They met.")])

        assert plan.turns[0].id == standard - 2
        assert plan.summary is not None

    def test_that_ends_too_early_decides_nothing(self, builder: PromptBuilder) -> None:
        turns = talk(60)

        plan = builder.plan("", turns, [Summary(1, until_turn_id=2, text="They met.")])

        assert plan.turns[0].id > 60
        assert plan.summary is not None
        assert plan.token_ids is not None
        assert len(plan.token_ids) <= plan.fixed_tokens + KEPT_SHARE * (ROOM - plan.fixed_tokens)

    def test_is_nothing_to_a_model_without_roles(self, tokenizer: Tokenizer) -> None:
        plain = PromptBuilder(tokenizer, DialoGPTFormat(tokenizer), context_window=300, max_new_tokens=40)
        turns = talk(3)[2:]

        plan = plain.plan("", turns, [Summary(1, until_turn_id=2, text="They met.")])

        assert plain.finish(plan) == plain.build("", turns)


@dataclass(frozen=True)
class Step:
    prompt: Prompt
    summary: Summary | None


def grow(builder: PromptBuilder, tokenizer: Tokenizer, exchanges: Sequence[Exchange]) -> Iterator[Step]:
    """A dialogue of which a summary is made as soon as it is known what will be dropped."""
    turns: list[Turn] = []
    summaries: list[Summary] = []
    for number, exchange in enumerate(exchanges):
        turns.append(person(2 * number + 1, exchange.text, exchange.speaker))
        plan = builder.plan("Be kind.", turns, summaries)
        prompt = builder.finish(plan)
        yield Step(prompt, plan.summary)
        drawn = tuple(tokenizer.encode_data(exchange.reply))
        tokens = TokenizedText(tokenizer.fingerprint, drawn)
        turns.append(Turn(2 * number + 2, Role.ASSISTANT, exchange.reply, "", tokens, prompt.start_turn_id))
        dropped = builder.next_dropped(plan)
        if len(prompt.token_ids) > 0.8 * ROOM and dropped and all(one.until_turn_id < dropped for one in summaries):
            summaries.append(Summary(len(summaries) + 1, dropped, f"up to {dropped}"))


LONG = st.lists(
    st.builds(Exchange, *[st.sampled_from(("hello", "the capital of France?", "é 😀 " * 4))] * 2), max_size=60
)


class TestEveryPrompt:
    @WITHOUT_DEADLINE
    @given(exchanges=st.one_of(dialogues, gatherings, LONG))
    def test_fits_the_window(self, builder: PromptBuilder, tokenizer: Tokenizer, exchanges: list[Exchange]) -> None:
        assert all(len(step.prompt.token_ids) <= ROOM for step in grow(builder, tokenizer, exchanges))

    @WITHOUT_DEADLINE
    @given(exchanges=st.one_of(dialogues, LONG))
    def test_has_another_summary_only_where_it_begins_elsewhere(
        self, builder: PromptBuilder, tokenizer: Tokenizer, exchanges: list[Exchange]
    ) -> None:
        last: Step | None = None
        for step in grow(builder, tokenizer, exchanges):
            if last is not None and last.prompt.start_turn_id == step.prompt.start_turn_id:
                assert step.summary == last.summary
            last = step

    @WITHOUT_DEADLINE
    @given(exchanges=LONG)
    def test_goes_on_where_the_last_one_ended_while_it_begins_there(
        self, builder: PromptBuilder, tokenizer: Tokenizer, exchanges: list[Exchange]
    ) -> None:
        last: Prompt | None = None
        read: tuple[int, ...] = ()
        for step, exchange in zip(grow(builder, tokenizer, exchanges), exchanges, strict=True):
            if last is not None and last.start_turn_id == step.prompt.start_turn_id:
                assert step.prompt.token_ids[: len(read)] == read
            last = step.prompt
            read = (*last.token_ids, *tokenizer.encode_data(exchange.reply))

    def test_of_a_long_dialogue_leaves_nothing_untold(self, builder: PromptBuilder, tokenizer: Tokenizer) -> None:
        steps = list(grow(builder, tokenizer, [Exchange("the capital", "France")] * 100))

        told = [step for step in steps if step.prompt.start_turn_id != 1]
        assert len(told) > 50
        assert {step.summary and step.summary.until_turn_id + 1 == step.prompt.start_turn_id for step in told} == {True}


class TestFound:
    def test_stands_just_before_the_question_in_the_order_of_saying(self, builder: PromptBuilder) -> None:
        turns = talk(20)[-3:]
        older = [reply(4, "Nice!"), person(3, "My dog\nis Rex.", "Bob: system")]

        prompt = builder.finish(builder.plan("Be kind.", turns), older, 100)

        assert contents(prompt) == [
            "Be kind.",
            "question 19",
            "answer 19",
            "[Said earlier in this dialogue:\nBob system: My dog is Rex.\nAssistant: Nice!]",
            "and now?",
        ]
        assert (prompt.start_turn_id, prompt.turns) == (turns[0].id, 3)

    def test_the_prompt_is_the_same_up_to_them(self, builder: PromptBuilder) -> None:
        plan = builder.plan("Be kind.", talk(3))
        plain, told = builder.finish(plan), builder.finish(plan, [person(0, "My dog is Rex.")], 100)
        question = len(builder.plan("Be kind.", talk(0)).token_ids or ()) - plan.fixed_tokens

        shared = len(plain.token_ids) - question - 10
        assert told.token_ids[:shared] == plain.token_ids[:shared]
        assert len(told.token_ids) > len(plain.token_ids)

    @WITHOUT_DEADLINE
    @given(texts=st.lists(st.text(max_size=300), max_size=12), exchanges=st.integers(0, 12), most=st.integers(0, 200))
    def test_takes_no_more_than_it_may(
        self, builder: PromptBuilder, texts: list[str], exchanges: int, most: int
    ) -> None:
        plan = builder.plan("Be kind.", talk(exchanges))
        found = [person(-number, text) for number, text in enumerate(texts, 1)]

        prompt = builder.finish(plan, found, most)

        assert plan.token_ids is not None
        assert len(prompt.token_ids) <= min(ROOM, len(plan.token_ids) + most)
        assert contents(prompt)[-1] == "and now?"

    def test_the_best_are_shown_where_not_all_have_room(self, builder: PromptBuilder) -> None:
        found = [person(number, f"fact number {number}, which is long enough") for number in (5, 1, 9, 3)]

        asked = builder.finish(builder.plan("", talk(0)), found, 110)

        shown = [number for number in (1, 3, 5, 9) if f"number {number}," in contents(asked)[-2]]
        assert 5 in shown
        assert 0 < len(shown) < 4
