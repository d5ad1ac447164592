"""A Discord bot by commands, menus and windows: the program as a process, real weights, and a local Discord."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place
from tests.acceptance.conftest import Home
from tests.acceptance.discord_bots import Stage, discord_stage, replies
from tests.acceptance.programs import REPLY_S
from tests.acceptance.test_discord import CAPITAL

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: How Discord is told: by a message, that it is being written, by choices, by a window.
_SAID, _DEFERRED, _COMPLETED, _OPENED = 4, 5, 8, 9


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> AsyncIterator[Stage]:
    async with discord_stage(Home(tmp_path_factory.mktemp("asking"), shared_cache), {}) as stage:
        await stage.discord.until(lambda state: "" in state.commands)
        yield stage


async def friends(stage: Stage) -> tuple[Person, Person, Place]:
    """Two people, and a channel of their server."""
    ann, ben = await stage.discord.person("Ann"), await stage.discord.person("Ben")
    return ann, ben, await (await stage.discord.guild("Friends", ann, ben)).channel("general")


async def test_ask_is_answered_for_everybody_below_the_command(stage: Stage) -> None:
    ann, ben, channel = await friends(stage)
    asked = await ann.commands("ask", channel, question=CAPITAL)
    [first] = await replies(channel)
    again = await ben.commands("ask", channel, question="And which language do they speak there?")
    [_, second] = await replies(channel, 2)
    originals = {answer.id: answer.message_id for answer in await stage.discord.interactions()}

    assert (asked.type, asked.is_ephemeral) == (_DEFERRED, False)
    assert "Paris" in first.text
    assert [originals[asked.id], originals[again.id]] == [first.id, second.id]
    assert stage.texts(channel) == [CAPITAL, first.text, "And which language do they speak there?", second.text]


async def test_who_shall_answer_is_offered_while_one_types(stage: Stage) -> None:
    ann, _, channel = await friends(stage)
    personas = await ann.types_into("ask", "persona", "ban", channel)
    models = await ann.types_into("ask", "model", "smol", channel)

    assert (personas.type, list(personas.choices)) == (_COMPLETED, ["banter"])
    assert "smollm2-135m-instruct" in models.choices.values()


async def test_help_is_for_the_eyes_of_who_asked_for_it(stage: Stage) -> None:
    ann, _, channel = await friends(stage)
    asked = await ann.commands("help", channel)
    [told] = (await channel.until(lambda seen: any("/persona" in message.text for message in seen.bots))).bots

    assert asked.is_ephemeral
    assert told.only_for == ann.id


async def test_what_somebody_wrote_can_be_asked_about(stage: Stage) -> None:
    ann, ben, channel = await friends(stage)
    said = await ben.says("Our train to Lisbon leaves at nine.", channel)
    assert (await ann.uses_on("Ask about this", said, channel)).type == _OPENED
    window = await ann.modal()
    await ann.submits(question="Where does the train go?")
    [reply] = await replies(channel)

    assert window.title == "Ask about this"
    assert "Lisbon" in reply.text
    assert stage.texts(channel)[0] == "> Our train to Lisbon leaves at nine.\n\nWhere does the train go?"


async def test_settings_are_a_window(stage: Stage) -> None:
    ann = await stage.discord.person("Ann")
    await ann.commands("settings")
    window = await ann.modal()
    [streaming] = [name for name in window.fields if name.startswith("streaming")]
    await ann.submits(**{streaming: window.options(streaming)["Shown when they are whole"]})
    await ann.dm.answers()
    await ann.says(CAPITAL)
    [reply] = await replies(ann.dm)

    assert "Paris" in reply.text
    assert reply.texts == [reply.text]


@pytest.mark.parametrize("where", ["group", "foreign"])
async def test_where_the_bot_is_not_everybody_has_a_dialogue_of_their_own(stage: Stage, where: str) -> None:
    discord = stage.discord
    ann, ben = [await discord.person(name, has_app=True) for name in ("Ann", "Ben")]
    if where == "group":
        place = await discord.group_dm(ann, ben)
    else:
        place = await (await discord.guild("Strangers", ann, ben, has_bot=False)).channel("general")
    await ann.commands("ask", place, question=f"My name is Ptarmigan. {CAPITAL}")
    await replies(place)
    await ben.commands("ask", place, question="What is the capital of Italy?")
    [first, second] = await replies(place, 2)
    sessions = stage.sessions(place)
    shown = [
        await asyncio.to_thread(stage.bot.home.banter, "sessions", "show", str(session), "--prompt")
        for session in sessions
    ]

    assert first.text.strip()
    assert "Rome" in second.text
    assert ["Ptarmigan" in prompt.stdout for prompt in shown] == [True, False]
    query = "SELECT person FROM sessions WHERE channel = ? ORDER BY id"
    assert stage.bot.rows(query, place.id) == [(ann.id,), (ben.id,)]


async def test_whoever_wants_to_be_forgotten_is(stage: Stage) -> None:
    ann, ben, channel = await friends(stage)
    await ann.says(f"My name is Quetzalcoatlus. {CAPITAL}")
    await ben.says(CAPITAL)
    await ann.commands("ask", channel, question="Is the Quetzalcoatlus a bird?")
    for place in (ann.dm, ben.dm, channel):
        await replies(place)
    assert (await ann.commands("forget", what="me")).type == _OPENED
    await ann.modal()
    await ann.submits(sure="yes")
    await ann.dm.until(lambda seen: any("forgotten" in message.text for message in seen.bots), REPLY_S)

    assert stage.texts(ann.dm) == []
    assert stage.texts(ben.dm)[0] == CAPITAL
    assert stage.is_forgotten("Quetzalcoatlus")


async def test_whoever_does_not_want_to_be_forgotten_is_not(stage: Stage) -> None:
    ann = await stage.discord.person("Ann")
    await ann.says(CAPITAL)
    await replies(ann.dm)
    await ann.commands("forget", what="me")
    await ann.modal()
    kept = await ann.submits(sure="no")

    assert (kept.type, kept.data["content"]) == (_SAID, "Nothing was erased.")
    assert stage.texts(ann.dm)[0] == CAPITAL
