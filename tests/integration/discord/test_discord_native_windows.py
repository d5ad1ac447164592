"""Windows are opened with what is chosen, and what is filled in there is said to the core."""

from collections.abc import AsyncIterator

import pytest

from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.people import Document, Person
from bots.sandbox.local_discord.places import Place
from tests.integration.discord.native_stage import NativeStage, native_stage


@pytest.fixture
async def stage(discord: LocalDiscord) -> AsyncIterator[NativeStage]:
    async with native_stage(discord) as stage:
        yield stage


@pytest.fixture
async def ann(discord: LocalDiscord) -> Person:
    return await discord.person("Ann", has_app=True)


def commanded(stage: NativeStage) -> list[str]:
    """What was not said as a plain message."""
    return [one.text for one in stage.kept.said if one.called.by_command]


async def test_settings_are_chosen_in_a_window(stage: NativeStage, ann: Person, general: Place) -> None:
    assert (await ann.commands("settings", general)).type == 9
    window = await ann.modal()
    persona, language, streaming = window.fields

    assert (window.title, window.labels) == ("Settings", ["Persona", "Language", "Replies"])
    assert window.options(language) == {"As usual here": "default", "English": "en", "español": "es"}
    answer = await ann.submits(**{language: "es", streaming: "off"})
    assert (answer.type, answer.is_ephemeral) == (5, True)
    assert [(one.message_id, one.text) for one in stage.kept.said] == [
        (f"e{answer.id}", "/settings language es"),
        (f"e{answer.id}.1", "/settings streaming off"),
    ]
    assert persona.startswith("persona.")
    assert stage.inner.kept[answer.id] == answer.token


async def test_whoever_leaves_all_as_it_is_is_shown_it(stage: NativeStage, ann: Person, general: Place) -> None:
    await ann.commands("settings", general)
    answer = await ann.submits()

    assert (answer.type, answer.is_ephemeral) == (5, True)
    assert commanded(stage) == ["/settings"]


async def test_a_window_outlives_a_restart(stage: NativeStage, ann: Person, general: Place) -> None:
    await ann.commands("settings", general)
    persona, _, _ = (await ann.modal()).fields
    stage.begin_anew()
    stage.offered.now(persona="dog")
    await ann.submits(**{persona: "dog"})

    assert commanded(stage) == ["/settings persona dog"]


async def test_whoever_may_not_decide_reads_what_is_chosen(stage: NativeStage, ann: Person, general: Place) -> None:
    stage.offered.now(may_decide=False)
    answer = await ann.commands("settings", general)

    assert (answer.type, answer.is_ephemeral) == (5, True)
    assert commanded(stage) == ["/settings"]


async def test_a_window_that_can_not_be_filled_in_time_is_none(stage: NativeStage, ann: Person, general: Place) -> None:
    stage.offered.is_away = True
    answer = await ann.commands("settings", general)

    assert (answer.type, answer.data["content"]) == (4, "I could not take that in. Please try again.")


@pytest.mark.parametrize(("what", "title"), [("me", "Forget everything?"), ("session", "Erase this dialogue?")])
async def test_erasing_is_asked_about_first(
    stage: NativeStage, ann: Person, general: Place, what: str, title: str
) -> None:
    assert (await ann.commands("forget", general, what=what)).type == 9
    assert (await ann.modal()).title == title
    kept = await ann.submits()

    assert (kept.type, kept.is_ephemeral, kept.data["content"]) == (4, True, "Nothing was erased.")
    assert commanded(stage) == []

    await ann.commands("forget", general, what=what)
    assert (await ann.submits(sure="yes")).is_ephemeral
    assert commanded(stage) == [f"/forget {what} yes"]


async def test_a_question_about_a_message_quotes_it(stage: NativeStage, discord: LocalDiscord, ann: Person) -> None:
    bob = await discord.person("Bob")
    general = await (await discord.guild("Astronomers", ann, bob)).channel("sky", "text")
    told = await bob.says(f"{ann.mention} the moon is far", general, files=[Document("far.txt", b"very far")])
    assert (await ann.uses_on("Ask about this", told, general)).type == 9
    assert (await ann.modal()).title == "Ask about this"
    answer = await ann.submits(question="how far?")

    [said] = [one for one in stage.kept.said if one.called.by_command]
    assert (said.message_id, said.text, said.quotes) == (f"i{answer.id}", "how far?", "@Ann the moon is far")
    [file] = said.attachments
    assert (file.name, file.handle.rpartition("/")[0]) == ("far.txt", f"{general.id}/{told.id}")


async def test_a_message_is_fetched_where_it_was_shown_before_a_restart(
    stage: NativeStage, ann: Person, general: Place
) -> None:
    told = await ann.says("the moon is far", general)
    await ann.uses_on("Ask about this", told, general)
    stage.begin_anew()
    await ann.submits(question="how far?")

    [said] = [one for one in stage.kept.said if one.called.by_command]
    assert (said.text, said.quotes) == ("how far?", "the moon is far")
    assert len(await stage.discord.calls("get_message")) == 1


async def test_a_message_that_is_gone_is_asked_about_without_its_words(
    stage: NativeStage, ann: Person, general: Place
) -> None:
    told = await ann.says("the moon is far", general)
    await ann.uses_on("Ask about this", told, general)
    stage.begin_anew()
    await ann.deletes(told, general)
    await ann.submits(question="how far?")

    [said] = [one for one in stage.kept.said if one.called.by_command]
    assert (said.text, said.quotes) == ("how far?", "")


async def test_a_fetch_that_takes_too_long_is_not_waited_for(
    stage: NativeStage, discord: LocalDiscord, ann: Person, general: Place
) -> None:
    told = await ann.says("the moon is far", general)
    await ann.uses_on("Ask about this", told, general)
    stage.begin_anew()
    await discord.fault("delay_before", "get_message", delay_s=5)
    answer = await ann.submits(question="how far?")

    assert (answer.type, answer.took_s < 3) == (5, True)
    assert commanded(stage) == ["how far?"]


async def test_where_the_bot_is_not_a_message_is_quoted_from_what_was_shown(
    stage: NativeStage, discord: LocalDiscord, ann: Person
) -> None:
    foreign = await discord.guild("Strangers", ann, has_bot=False)
    place = await foreign.channel("away", "text")
    told = await ann.says("the sea is deep", place)
    await ann.uses_on("Ask about this", told, place)
    await ann.submits(question="how deep?")

    [said] = stage.kept.said
    assert (said.session_key.person, said.quotes) == (ann.id, "the sea is deep")
