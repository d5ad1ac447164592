"""A token is given out when Discord was told of the answer, and not long after that was to be."""

import asyncio

from adapters.discord.acked_tokens import AckedTokens
from core.errors import DatabaseAway

LONG_S = 60.0


class PaperTokens:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.is_away = False

    async def keep(self, interaction_id: str, token: str) -> None:
        if self.is_away:
            raise DatabaseAway("the database is away")
        self.kept[interaction_id] = token

    async def of(self, interaction_id: str) -> str | None:
        return self.kept.get(interaction_id)


async def some_turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_whoever_answers_waits_for_the_acknowledgement() -> None:
    tokens = AckedTokens(PaperTokens(), LONG_S)
    await tokens.keep("1", "a token")
    asking = asyncio.create_task(tokens.of("1"))
    await some_turns()
    assert not asking.done()

    tokens.acked("1")
    assert await asyncio.wait_for(asking, LONG_S / 2) == "a token"
    assert await asyncio.wait_for(tokens.of("1"), LONG_S / 2) == "a token"


async def test_nobody_waits_for_another_interaction() -> None:
    paper = PaperTokens()
    tokens = AckedTokens(paper, LONG_S)
    await tokens.keep("1", "a token")
    paper.kept["2"] = "kept by another process"

    assert await asyncio.wait_for(tokens.of("2"), LONG_S / 2) == "kept by another process"
    assert await asyncio.wait_for(tokens.of("3"), LONG_S / 2) is None


async def test_an_acknowledgement_that_never_comes_is_not_waited_for_long() -> None:
    tokens = AckedTokens(PaperTokens(), 0.0)
    await tokens.keep("1", "a token")

    assert await asyncio.wait_for(tokens.of("1"), LONG_S / 2) == "a token"


async def test_one_that_was_never_kept_may_be_acknowledged() -> None:
    tokens = AckedTokens(PaperTokens(), LONG_S)
    tokens.acked("1")

    assert await asyncio.wait_for(tokens.of("1"), LONG_S / 2) is None


async def test_a_token_that_could_not_be_kept_is_waited_for_by_nobody_afterwards() -> None:
    paper = PaperTokens()
    paper.is_away = True
    tokens = AckedTokens(paper, LONG_S)
    try:
        await tokens.keep("1", "a token")
    except DatabaseAway:
        tokens.acked("1")

    assert await asyncio.wait_for(tokens.of("1"), LONG_S / 2) is None
