"""Recall: which turns a prompt is made of."""

import itertools
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.dialogue import Role
from core.memory.recall import CHARACTERS_PER_TOKEN, TURN_OVERHEAD_TOKENS
from core.memory.sessions import Session
from core.memory.store import Memory
from tests.contract.speaking import KEY, exchange, open_session, reply, say, texts


class TestRecall:
    async def test_turns_come_oldest_first(self, memory: Memory) -> None:
        session = await open_session(memory)
        for number in range(20):
            await exchange(memory, session, f"q{number}", f"a{number}")

        recalled = await memory.recall(session.id, 10_000)

        assert [turn.text for turn in recalled] == [f"{kind}{number}" for number in range(20) for kind in "qa"]
        assert [turn.role for turn in recalled] == [Role.PERSON, Role.ASSISTANT] * 20
        assert [turn.speaker for turn in recalled] == ["Anna", ""] * 20

    async def test_only_what_fits_is_recalled(self, memory: Memory) -> None:
        session = await open_session(memory)
        for number in range(5):
            question = await say(memory, session, f"q{number}")
            await memory.record_reply(session.id, question.id, reply(f"a{number}", 1, 2, 3, question_token_count=3))

        each = 3 + TURN_OVERHEAD_TOKENS

        assert await texts(memory, session, 3 * each) == ["a3", "q4", "a4"]
        assert await texts(memory, session, 4 * each - 1) == ["a3", "q4", "a4"]
        assert await texts(memory, session, 4 * each) == ["q3", "a3", "q4", "a4"]

    async def test_the_newest_turn_is_recalled_whatever_its_length(self, memory: Memory) -> None:
        session = await open_session(memory)
        await exchange(memory, session, "one", "1")
        await say(memory, session, "long " * 1000)

        assert await texts(memory, session, 10) == ["long " * 1000]
        assert await texts(memory, session, 0) == ["long " * 1000]

    async def test_a_long_turn_ends_the_walk_and_is_not_stepped_over(self, memory: Memory) -> None:
        session = await open_session(memory)
        await exchange(memory, session, "one", "long " * 1000)
        await exchange(memory, session, "two", "2")

        assert await texts(memory, session, 100) == ["two", "2"]

    async def test_an_empty_dialogue_recalls_nothing(self, memory: Memory) -> None:
        session = await open_session(memory)

        assert await memory.recall(session.id, 1000) == ()


@dataclass(frozen=True)
class Act:
    #: "ask", "answer" (which draws again where the question has a reply) or "undo".
    kind: str
    size: int
    counted: bool


@dataclass
class NaiveTurn:
    parent: "NaiveTurn | None"
    role: Role
    text: str
    token_count: int | None = None

    @property
    def cost(self) -> int:
        estimate = len(self.text) // CHARACTERS_PER_TOKEN + 1
        return TURN_OVERHEAD_TOKENS + (estimate if self.token_count is None else self.token_count)


@dataclass
class NaiveMemory:
    """What recall means, said as simply as can be."""

    head: NaiveTurn | None = None
    #: Turn's id → turn.
    turns: dict[int, NaiveTurn] = field(default_factory=dict)

    def chain(self) -> list[NaiveTurn]:
        """Newest first."""
        chain, turn = [], self.head
        while turn is not None:
            chain.append(turn)
            turn = turn.parent
        return chain

    def question(self) -> NaiveTurn | None:
        return next((turn for turn in self.chain() if turn.role is Role.PERSON), None)

    def recall(self, max_tokens: int) -> list[str]:
        spent = list(itertools.accumulate(turn.cost for turn in self.chain()))
        fitting = 1 + sum(tokens <= max_tokens for tokens in spent[1:])
        return [turn.text for turn in reversed(self.chain()[:fitting])]


async def do(act: Act, text: str, memory: Memory, session: Session, naive: NaiveMemory) -> None:
    """The same in both memories."""
    if act.kind == "ask":
        turn = await say(memory, session, text)
        naive.head = naive.turns[turn.id] = NaiveTurn(naive.head, Role.PERSON, text)
        return
    if act.kind == "undo":
        undone, question = await memory.undo(session.id), naive.question()
        assert (undone and undone.text) == (question and question.text)
        naive.head = naive.head if question is None else question.parent
        return
    asked = await memory.last_question(session.id)
    if asked is None:
        assert naive.question() is None
        return
    parent = naive.turns[asked.id]
    ids = tuple(range(act.size)) if act.counted else ()
    parent.token_count = act.size if act.counted else parent.token_count
    record = reply(text, *ids, question_token_count=act.size if act.counted else None)
    turn = await memory.record_reply(session.id, asked.id, record)
    naive.head = naive.turns[turn.id] = NaiveTurn(parent, Role.ASSISTANT, text, len(ids) or None)


acts = st.lists(
    st.builds(
        Act,
        kind=st.sampled_from(["ask", "answer", "answer", "undo"]),
        size=st.integers(1, 40),
        counted=st.booleans(),
    ),
    max_size=25,
)
_examples = itertools.count()


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=acts, max_tokens=st.integers(0, 300))
async def test_recall_is_what_a_naive_memory_recalls(memory: Memory, acts: list[Act], max_tokens: int) -> None:
    session = await open_session(memory, replace(KEY, thread=f"example {next(_examples)}"))
    naive = NaiveMemory()

    for number, act in enumerate(acts):
        await do(act, f"{number}:" + "x" * act.size * 5, memory, session, naive)

        assert await texts(memory, session, max_tokens) == naive.recall(max_tokens)
