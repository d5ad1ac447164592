"""Two processes of one Discord bot on one PostgreSQL: they share its shards, and one is killed amid its replies."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.own_process import local_discord_process
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place
from bots.sandbox.local_discord.sights import MessageSeen
from core.generation.models import ResolvedModel
from core.memory.database import Database
from core.memory.tables import OPEN_STATES, ClaimRow, InboxRow, LeaseRow
from tests.acceptance.conftest import Home, link_model
from tests.acceptance.discord_bots import BAD, told_of
from tests.acceptance.programs import Program, program
from tests.acceptance.test_openai_chat import variables
from tests.contract.local_postgres import local_postgres
from tests.integration.local_openai import CHAT, DONE, Answer, Asked, LocalOpenAI, running_openai, spaced, words
from tests.platforms.paper_model import answer_to

#: A lease lasts longer; 15 is what is wanted of a machine that does nothing else.
_GOES_ON_WITHIN_S = float(os.environ.get("BANTER_GOES_ON_WITHIN_S", "45"))
_PATIENCE_S = 60.0
_LOOK_S = 0.05
_SHARDS = 2
#: In each server before the kill, and after it; and in a DM of each person.
_BEFORE, _AFTER = 5, 2
#: A reply takes three seconds.
_WORDS, _WORD_S = 60, 0.05


class Storyteller(LocalOpenAI):
    """Answers every question in words of its own, and goes on with an answer that was begun."""

    def _chosen(self, asked: Asked) -> Answer:
        if asked.path != CHAT:
            return super()._chosen(asked)
        messages = asked.body["messages"]
        assert isinstance(messages, list)
        begun = messages.pop()["content"] if messages[-1]["role"] == "assistant" else ""
        whole = answer_of(str(messages[-1]["content"]).split()[-1])
        assert whole.startswith(begun)
        return Answer([*spaced(words(CHAT, *_pieces(whole[len(begun) :])), _WORD_S), DONE])


@dataclass(frozen=True, slots=True)
class Stage:
    discord: LocalDiscord
    database: Database
    programs: list[Program]
    #: Of servers of different shards.
    channels: list[Place]
    people: list[Person]

    async def ask(self, number: int, *, by_dm: bool = False) -> list[str]:
        """In every channel, and in every DM; gives the questions."""
        told = [f"question{number}of{place}" for place in range(_SHARDS)]
        for text, channel, person in zip(told, self.channels, self.people, strict=True):
            await person.says(f"{self.discord.mention} {text}", channel)
        if not by_dm:
            return told
        by_person = [f"question{number}by{person.name}" for person in self.people]
        for text, person in zip(by_person, self.people, strict=True):
            await person.says(text)
        return told + by_person

    async def places_held(self) -> Counter[int]:
        """Process number → at how many places it answers."""
        held = select(LeaseRow.owner, func.count()).where(LeaseRow.owner != "").group_by(LeaseRow.owner)
        async with self.database.reading() as connection:
            return Counter({_number(row[0]): row[1] for row in await connection.execute(held)})

    async def shards_held(self) -> dict[str, int]:
        """Shard → process number."""
        async with self.database.reading() as connection:
            rows = await connection.execute(select(ClaimRow.name, ClaimRow.owner))
            return {name: _number(owner) for name, owner in rows if not name.startswith("here ")}

    async def shown(self) -> list[MessageSeen]:
        """All that the bot says, wherever it stands."""
        return [message for place in await self.discord.places() for message in (await place.look()).bots]

    async def until_whole(self, count: int) -> None:
        """Returns when there are so many whole replies, and nobody is owed anything."""
        while sum(BAD in message.labels for message in await self.shown()) < count:  # noqa: ASYNC110 - many places
            await asyncio.sleep(_LOOK_S)
        waiting = select(func.count()).where(InboxRow.state.in_(OPEN_STATES))
        while True:
            async with self.database.reading() as connection:
                if not await connection.scalar(waiting):
                    return
            await asyncio.sleep(_LOOK_S)


@asynccontextmanager
async def two_programs(home: Home) -> AsyncIterator[Stage]:
    """Once each of them listens to one shard."""
    with local_postgres() as server:
        async with (
            local_discord_process(Options(shards=_SHARDS)) as discord,
            running_openai(Storyteller()) as storyteller,
            program(home, "discord", environment(discord, storyteller, server.url())) as first,
        ):
            await first.logs(action="begin")
            people = [await discord.person(name) for name in ("Ann", "Ben")]
            servers = [await discord.guild(f"of shard {shard}", *people, shard=(shard, 2)) for shard in range(_SHARDS)]
            channels = [await server.channel("general") for server in servers]
            async with (
                program(home, "discord", environment(discord, storyteller, server.url())) as second,
                Database(server.url()) as database,
            ):
                stage = Stage(discord, database, [first, second], channels, people)
                async with asyncio.timeout(_PATIENCE_S):
                    await shared_out(stage)
                yield stage


def environment(discord: LocalDiscord, storyteller: LocalOpenAI, database_url: str) -> dict[str, str]:
    return told_of(discord) | variables(
        storyteller,
        BANTER_OPENAI__EXTENSIONS='["continue_final_message"]',
        BANTER_SAMPLING__MAX_NEW_TOKENS="1000",
        BANTER_DATABASE__URL=database_url,
        BANTER_SERVICE__NOTICE_AFTER_S="600",
    )


async def shared_out(stage: Stage) -> None:
    """Returns when each process has a shard, and a connection for it."""
    numbers = {one.process.pid for one in stage.programs}
    while set((await stage.shards_held()).values()) != numbers:  # noqa: ASYNC110 - the database has no event
        await asyncio.sleep(_LOOK_S)
    await stage.discord.until(
        lambda state: sorted(one.shard for one in state.open_connections) == [(0, _SHARDS), (1, _SHARDS)], _PATIENCE_S
    )


async def test_every_message_is_answered_once_where_one_of_two_processes_is_killed(
    tmp_path: Path, default_model: ResolvedModel
) -> None:
    home = Home(tmp_path)
    link_model(default_model, home.cache)
    async with two_programs(home) as stage, asyncio.timeout(_PATIENCE_S):
        asked = [question for number in range(_BEFORE) for question in await stage.ask(number, by_dm=number == 0)]
        held = await both_answer(stage)
        victim = max(stage.programs, key=lambda one: held[one.process.pid])
        await victim.kill()
        killed_at = time.monotonic()
        asked += [question for number in range(_AFTER) for question in await stage.ask(_BEFORE + number)]
        await stage.until_whole(len(asked))
        shown, shards = await stage.shown(), await stage.shards_held()
        went_on_after_s = max(message.times[-1] for message in shown) - killed_at
    print(f"{len(asked)} messages, answered by {dict(held)}; all whole {went_on_after_s:.1f} s after a kill")

    assert sorted(message.text for message in shown) == sorted(map(answer_of, asked))
    assert all(BAD in message.labels for message in shown)
    assert any(message.times[0] < killed_at < message.times[-1] for message in shown)
    assert set(shards.values()) == {one.process.pid for one in stage.programs if one is not victim}
    assert len(shards) == _SHARDS
    assert went_on_after_s < _GOES_ON_WITHIN_S


async def both_answer(stage: Stage) -> Counter[int]:
    """Places by process, once both of them answer and so many replies have begun."""
    while True:
        held = await stage.places_held()
        if len(held) == len(stage.programs) and len(await stage.shown()) >= _BEFORE:
            return held
        await asyncio.sleep(_LOOK_S)


def answer_of(question: str) -> str:
    return answer_to(question, _WORDS)


def _number(owner: str) -> int:
    return int(owner.split("/")[1])


def _pieces(text: str) -> list[str]:
    """Words, with the blanks before them."""
    first, *rest = text.split(" ")
    return [first, *(f" {word}" for word in rest)]
