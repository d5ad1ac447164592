"""The policy on the walk: who gets an answer, what is stored of the others, and what the model is given."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from core.access import Access, Listed, Name
from core.dialogue import (
    Called,
    Deletion,
    Edit,
    Feedback,
    Opinion,
    Platform,
)
from core.generation.models import Models
from core.memory.database import Database
from core.memory.tables import InboxRow, SessionRow, TurnRow
from core.policy import Policy
from core.voice import Persona, Voices
from tests.integration.walk.group_talk import BANTER, GENERAL, bot_with, hears, message, speaker
from tests.platforms.kinds import DISCORD
from tests.platforms.paper_bot import Place
from tests.platforms.paper_model import answer_to
from tests.platforms.paper_platform import PaperPlatform
from tests.unit.chat_templates import CHATML
from tests.unit.model_files import write_safetensors
from tests.unit.tiny_tokenizers import byte_level

ANNA = Name(Platform.DISCORD, "guild", "anna")


async def stored_texts(database: Database) -> str:
    """Everything that anybody said, as far as it is anywhere."""
    async with database.reading() as connection:
        inbox = (await connection.execute(select(InboxRow.inbound, InboxRow.raw))).all()
        turns = (await connection.execute(select(TurnRow.text))).all()
    return repr((inbox, turns))


async def test_what_is_not_for_the_bot_is_stored_nowhere(place: Place) -> None:
    async with bot_with(place, Policy(BANTER)) as bot:
        await hears(bot, message("see you tomorrow", "m1", called=Called()), message("hello", "m2"))
        await hears(bot, Edit(GENERAL, speaker(), "m1", "2", "see you never"), Deletion(GENERAL, "m1"))
        await bot.settles()
        await hears(bot, Feedback(GENERAL, speaker(), "m1", Opinion.GOOD, "e1"))
        await bot.settles()

        assert place.platform.seen("general") == [answer_to("hello")]
        assert len(await bot.told()) == 1
        assert "see you" not in await stored_texts(place.database)


async def test_who_is_denied_is_neither_answered_nor_stored(place: Place) -> None:
    denied = Policy(BANTER, access=Access(denied=Listed(people=frozenset({ANNA}))))
    async with bot_with(place, denied) as bot:
        await hears(bot, message("my secret", "m1"), message("hello", "m2", "ben"))
        await hears(bot, Edit(GENERAL, speaker(), "m1", "2", "my other secret"))
        await bot.settles()

        assert place.platform.seen("general") == [answer_to("hello")]
        assert "secret" not in await stored_texts(place.database)


async def test_who_is_denied_while_they_wait_is_not_answered(place: Place) -> None:
    async with bot_with(place, Policy(BANTER)) as bot:
        bot.model.hold()
        await hears(bot, message("one", "m1"), message("two", "m2"))
        await bot.until(lambda: len(bot.model.requests) == 1)
    denied = Policy(BANTER, access=Access(denied=Listed(people=frozenset({ANNA}))))
    async with bot_with(place, denied) as bot:
        await bot.settles()

        assert [(told.state, told.reason) for told in await bot.told()][1] == ("ignored", "not admitted")
        assert place.platform.said("m2") == []


async def test_a_denied_person_presses_no_button(place: Place) -> None:
    denied = Policy(BANTER, access=Access(denied=Listed(people=frozenset({ANNA}))))
    async with bot_with(place, Policy(BANTER)) as bot:
        await hears(bot, message("hello", "m1", "ben"))
        await bot.settles()
        handle = next(iter(place.platform.messages))
    async with bot_with(place, denied) as bot:
        await hears(bot, Feedback(GENERAL, speaker(), handle, Opinion.REGENERATE, "e1"))
        await bot.settles()

        assert len(await bot.told()) == 1
        assert bot.model.requests == []


async def test_a_group_that_is_overheard_is_read_and_not_answered(place: Place) -> None:
    async with bot_with(place, Policy(replace(BANTER, overhears=True))) as bot:
        await hears(bot, message("the cake is at noon", "m1", "ben", called=Called()))
        await hears(bot, message("what did ben say", "m2"))
        await bot.settles()

        assert [told.state for told in await bot.told()] == ["ignored", "delivered"]
        assert place.platform.said("m1") == []
        [request] = bot.model.requests
        assert "the cake is at noon" in request.prompt.messages[-2].content + request.prompt.messages[-1].content


async def test_another_reply_is_drawn_to_the_question_and_not_to_what_was_overheard(place: Place) -> None:
    async with bot_with(place, Policy(replace(BANTER, overhears=True))) as bot:
        await hears(bot, message("hello", "m1"))
        await bot.settles()
        await hears(bot, message("such weather", "m2", "ben", called=Called()))
        await hears(bot, message("/regenerate", "m3"))
        await bot.settles()

        assert len(bot.model.requests) > 1
        assert set(bot.model.asked()) == {"hello"}


async def test_a_thread_is_followed_only_where_the_bot_is_in_a_dialogue(place: Place) -> None:
    thread, other = replace(GENERAL, thread="t1"), replace(GENERAL, thread="t2")
    async with bot_with(place, Policy(BANTER)) as bot:
        await hears(bot, message("hello", "m1", key=thread), message("and then", "m2", key=thread, called=Called()))
        await hears(bot, message("what now", "m3", "ben", key=thread, called=Called()))
        await hears(bot, message("not for you", "m4", key=other, called=Called()))
        await bot.settles()
        await hears(bot, message("still there", "m5", "ben", key=thread, called=Called()))
        await bot.settles()

        assert [bool(place.platform.said(one)) for one in ("m1", "m2", "m3", "m4", "m5")] == [True] * 3 + [False, True]


async def test_a_thread_that_was_only_overheard_is_no_dialogue(place: Place) -> None:
    thread = replace(GENERAL, thread="t1")
    async with bot_with(place, Policy(replace(BANTER, overhears=True))) as bot:
        for number in range(3):
            await hears(bot, message(f"chatter {number}", f"m{number}", key=thread, called=Called()))
            await bot.settles()

        assert bot.model.requests == []
        assert [told.state for told in await bot.told()] == ["ignored"] * 3


async def test_each_person_of_a_group_may_have_a_dialogue_of_their_own(place: Place) -> None:
    async with bot_with(place, Policy(replace(BANTER, each_alone=True))) as bot:
        await hears(bot, message("i am anna", "m1"), message("i am ben", "m2", "ben"), message("who am i", "m3"))
        await bot.settles()

        prompts = {request.prompt.messages[-1].content: repr(request.prompt.messages) for request in bot.model.requests}
        assert "i am anna" in prompts["who am i"]
        assert "i am ben" not in prompts["who am i"]
        async with place.database.reading() as connection:
            sessions = await connection.execute(select(SessionRow.person).order_by(SessionRow.person))
            assert [row.person for row in sessions] == ["anna", "ben"]


async def test_what_is_about_a_message_goes_to_whose_dialogue_it_is(place: Place) -> None:
    """A reaction does not tell whose question was answered, nor in which thread."""
    thread = replace(GENERAL, thread="t1")
    async with bot_with(place, Policy(replace(BANTER, each_alone=True))) as bot:
        await hears(bot, message("hello", "m1", key=thread))
        await bot.settles()
        handle = next(iter(place.platform.messages))
        await hears(bot, Feedback(GENERAL, speaker("ben"), handle, Opinion.GOOD, "e1"))
        await bot.settles()

        async with place.database.reading() as connection:
            places = [row.place for row in await connection.execute(select(InboxRow.place))]
        assert len(places) == 2
        assert len(set(places)) == 1


async def test_a_dialogue_in_which_nobody_spoke_for_long_is_over(place: Place) -> None:
    async with bot_with(place, Policy(replace(BANTER, idle_s=3600.0))) as bot:
        await hears(bot, message("my name is anna", "m1"))
        await bot.settles()
        await hears(bot, message("go on", "m2"))
        await bot.settles()
        async with place.database.writing() as connection:
            earlier = datetime.now(UTC) - timedelta(hours=2)
            await connection.execute(update(SessionRow).values(last_active_at=earlier))
        await hears(bot, message("who am i", "m3"))
        await bot.settles()

        before, after = bot.model.requests[1:]
        assert "my name is anna" in repr(before.prompt.messages)
        assert "my name is anna" not in repr(after.prompt.messages)
        async with place.database.reading() as connection:
            active = await connection.execute(select(SessionRow.active).order_by(SessionRow.id))
            assert [row.active for row in active] == [False, True]


@pytest.fixture(scope="module")
def two_voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    """Two personas, and a model that neither of them has."""
    folder = tmp_path_factory.mktemp("two-voices")
    models = []
    for name in ("small", "other"):
        model = byte_level(folder / name, CHATML)
        (model / "config.json").write_text('{"model_type": "llama", "max_position_embeddings": 4096}')
        write_safetensors(model / "model.safetensors")
        models.append(str(model))
    tuned = {"banter": "", "pirate": "Say arr."}
    personas = {
        name: Persona(name, prompt, models[0], lambda sampling: replace(sampling, max_new_tokens=64))
        for name, prompt in tuned.items()
    }
    return Voices(personas, Models(Path(folder) / "cache"), context_window=1024, other_models=[models[1]])


async def test_a_channel_has_its_own_persona_model_and_sampling(database: Database, two_voices: Voices) -> None:
    [other] = {one for one in two_voices.models if one.endswith("other")}
    place = Place(PaperPlatform(DISCORD), database, two_voices)
    there = replace(
        BANTER,
        persona="pirate",
        model=other,
        sampling=lambda params: replace(params, temperature=0.25, max_new_tokens=9),
    )
    async with bot_with(place, Policy(BANTER, {(Platform.DISCORD, "guild", "sea"): there})) as bot:
        await hears(bot, message("hello", "m1"))
        await bot.settles()
        await hears(bot, message("hello", "m2", key=replace(GENERAL, channel="sea")))
        await bot.settles()

        on_land, at_sea = bot.model.requests
        assert on_land.model.folder.endswith("small")
        assert on_land.sampling.max_new_tokens == 64
        assert at_sea.model.folder.endswith("other")
        assert at_sea.prompt.messages[0].content == "Say arr."
        assert (at_sea.sampling.temperature, at_sea.sampling.max_new_tokens) == (0.25, 9)
