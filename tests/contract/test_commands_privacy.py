"""/forget and /export: what is asked for twice, who may ask, and what is too much for a chat."""

import pytest

from core.access import Rank
from core.memory.store import Memory
from tests.contract.commanding import RememberedPrivacy, Table, in_company


@pytest.fixture
async def table(memory: Memory) -> Table:
    return await Table.laid(memory)


class TestForgetting:
    async def test_it_is_asked_for_twice(self, memory: Memory) -> None:
        privacy = RememberedPrivacy()
        table = await Table.laid(memory, privacy)

        question = await table.answers("/forget me")
        asked_before = list(privacy.asked)
        done = await table.answers("/forget me yes", in_company())

        assert question.endswith("Say /forget me yes if you are sure.")
        assert asked_before == []
        assert done == "What you said is forgotten. Turns erased: 7"
        assert privacy.asked == ["forget Anna in general"]

    async def test_a_dialogue_is_forgotten_by_who_decides_there(self, memory: Memory) -> None:
        privacy = RememberedPrivacy()
        table = await Table.laid(memory, privacy)

        refused = await table.answers("/forget session yes", in_company())
        done = await table.answers("/forget session yes", in_company(rank=Rank.MODERATOR))

        assert refused == "Only moderators may do that here."
        assert done == "The dialogue is forgotten. Turns erased: 3"
        assert privacy.asked == [f"forget session {table.session.id}"]

    @pytest.mark.parametrize("line", ["/forget", "/forget everything", "/forget me maybe", "/forget yes me yes"])
    async def test_what_is_meant_must_be_clear(self, memory: Memory, line: str) -> None:
        privacy = RememberedPrivacy()

        assert await (await Table.laid(memory, privacy)).answers(line) == "Say /forget me or /forget session."
        assert privacy.asked == []

    async def test_where_nobody_can_forget_that_is_told(self, table: Table) -> None:
        assert await table.answers("/forget me yes") == "That can't be done here."
        assert await table.answers("/export") == "That can't be done here."


class TestExport:
    async def test_what_is_remembered_is_handed_out_as_it_is(self, memory: Memory) -> None:
        table = await Table.laid(memory, RememberedPrivacy('{"text": "hi"}', '{"text": "ho"}'))

        assert await table.answers("/export") == '```json\n{"text": "hi"}\n{"text": "ho"}\n```'

    async def test_a_dialogue_is_handed_out_to_who_decides_there(self, memory: Memory) -> None:
        table = await Table.laid(memory, RememberedPrivacy())

        assert await table.answers("/export session", in_company()) == "Only moderators may do that here."
        assert await table.answers("/export session", in_company(rank=Rank.MODERATOR)) == "```json\n{}\n```"

    async def test_what_is_too_long_for_a_chat_is_left_to_the_operator(self, memory: Memory) -> None:
        table = await Table.laid(memory, RememberedPrivacy(*["x" * 1000] * 30))

        assert "banter export" in await table.answers("/export me")

    async def test_of_somebody_who_said_nothing_there_is_nothing(self, memory: Memory) -> None:
        assert await (await Table.laid(memory, RememberedPrivacy())).answers("/export") == "Nothing is remembered."
