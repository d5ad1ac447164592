"""Commands, windows, menus and buttons on the whole walk: what people read is what they asked for, and once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.interaction_sights import AnswerSeen
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place
from bots.sandbox.local_discord.sights import MessageSeen
from tests.integration.discord.discord_bots import Scene, discord_bot
from tests.platforms.paper_bot import paper_voices
from tests.platforms.paper_model import PaperModel, answer_to


@pytest.fixture
async def scene(local: LocalDiscord, tmp_path: Path) -> AsyncIterator[Scene]:
    async with discord_bot(tmp_path, paper_voices(tmp_path), local) as scene:
        yield scene


async def answered(answer: AnswerSeen, place: Place, words: str) -> MessageSeen:
    """In the place that Discord keeps for it."""
    message = await place.shows(words)
    assert message.id == answer.message_id
    return message


async def test_a_question_is_answered_where_discord_shows_that_it_is_thought_about(
    scene: Scene, ann: Person, general: Place
) -> None:
    asked = await ann.commands("ask", general, question="rain")
    reply = await answered(asked, general, answer_to("rain"))

    assert reply.only_for == ""
    assert (await scene.discord.look()).excesses == {}
    assert len((await general.look()).bots) == 1


async def test_help_is_for_the_one_who_asks(scene: Scene, ann: Person, general: Place) -> None:
    asked = await ann.commands("help", general)
    seen = await general.until(lambda seen: any("/help" in message.text for message in seen.bots))

    [helped] = seen.bots
    assert (helped.id, helped.only_for) == (asked.message_id, ann.id)
    assert scene.model.requests == []


async def test_a_new_dialogue_begins_and_the_last_reply_is_drawn_again(
    local: LocalDiscord, ann: Person, tmp_path: Path
) -> None:
    drawn = iter(["It rains.", "It pours."])
    model = PaperModel(lambda _: next(drawn))
    async with discord_bot(tmp_path, paper_voices(tmp_path), local, model):
        await answered(await ann.commands("new"), ann.dm, "A new dialogue begins.")
        await answered(await ann.commands("ask", question="rain"), ann.dm, "It rains.")
        await answered(await ann.commands("regenerate"), ann.dm, "It pours.")

    assert model.asked() == ["rain", "rain"]


async def test_whoever_wants_to_be_answered_by_somebody_else_reads_who_it_is_and_then_the_answer(
    scene: Scene, ann: Person
) -> None:
    asked = await ann.commands("ask", question="rain", persona="nobody")
    reply = await answered(asked, ann.dm, answer_to("rain"))

    told = [message.text for message in (await ann.dm.look()).bots if message.id != reply.id]
    assert told == ["There is no persona 'nobody'; there are banter."]
    assert scene.model.asked() == ["rain"]


async def test_settings_that_are_chosen_in_a_window_hold(scene: Scene, ann: Person) -> None:
    await ann.commands("settings")
    _, language, streaming = (await ann.modal()).fields
    answer = await ann.submits(**{language: "es", streaming: "off"})

    await answered(answer, ann.dm, "Las respuestas se muestran cuando están completas.")
    await ann.dm.until(lambda seen: len(seen.bots) == 2)
    await ann.commands("settings")
    window = await ann.modal()
    chosen = [name for field in window.fields for name in chosen_in(window.fields[field])]
    assert chosen == ["banter", "es", "off"]


async def test_each_of_several_changes_is_told_to_the_one_who_makes_them(local: LocalDiscord, scene: Scene) -> None:
    """Where the bot is not, and a dialogue is one's own."""
    bob = await local.person("Bob", has_app=True)
    place = await (await local.guild("Strangers", bob, has_bot=False)).channel("away")
    await bob.commands("settings", place)
    _, language, streaming = (await bob.modal()).fields
    answer = await bob.submits(**{language: "es", streaming: "off"})

    seen = await place.until(lambda seen: len([one for one in seen.bots if not one.is_loading]) == 2)
    assert [one.only_for for one in seen.bots] == [bob.id, bob.id]
    assert seen.bots[0].id == answer.message_id
    assert seen.bots[1].text == "Las respuestas se muestran cuando están completas."
    assert (await scene.discord.look()).excesses == {}


async def test_what_was_said_is_forgotten_when_somebody_is_sure(scene: Scene, ann: Person) -> None:
    await ann.says("thunder")
    await ann.dm.shows(answer_to("thunder"))
    await ann.commands("forget", what="session")
    await answered(await ann.submits(sure="yes"), ann.dm, "The dialogue is forgotten. Turns erased: 2")

    exported = await exported_in(ann.dm, await ann.commands("export"))
    assert '"type": "export"' in exported
    assert "thunder" not in exported


async def test_in_a_server_what_is_remembered_is_read_by_its_person_alone(
    scene: Scene, ann: Person, general: Place
) -> None:
    asked = await ann.commands("export", general)

    assert '"type": "export"' in await exported_in(general, asked)
    assert {message.only_for for message in (await general.look()).bots} == {ann.id}
    assert scene.model.requests == []


async def test_a_question_about_a_message_holds_its_words(scene: Scene, ann: Person, general: Place) -> None:
    told = await ann.says("the moon is far", general)
    await ann.uses_on("Ask about this", told, general)
    answer = await ann.submits(question="far")
    seen = await general.until(lambda seen: any(one.id == answer.message_id and one.text for one in seen.bots))

    assert len(seen.bots) == 1
    [question] = scene.model.asked()
    assert "the moon is far" in question
    assert "far" in question.splitlines()[-1]


async def test_a_reply_is_stopped_by_its_button_and_drawn_again_by_the_next(
    scene: Scene, ann: Person, general: Place
) -> None:
    scene.model.hold(after_words=2)
    asked = await ann.commands("ask", general, question="rain")
    seen = await general.until(lambda seen: any("About" in one.text and one.buttons for one in seen.bots))
    [reply] = seen.bots
    [stop] = [label for label in reply.labels if "Stop" in label]
    await ann.presses(stop, reply, general)
    scene.model.go()
    seen = await general.until(lambda seen: any("👍" in "".join(one.labels) for one in seen.bots))

    assert seen.bots[0].id == asked.message_id
    await ann.presses(next(label for label in seen.bots[0].labels if "Again" in label), seen.bots[0], general)
    await general.until(lambda seen: any(one.text == answer_to("rain") for one in seen.bots))


def chosen_in(field: object) -> list[str]:
    assert isinstance(field, dict)
    return [option["value"] for option in field["options"] if option.get("default")]


async def exported_in(place: Place, answer: AnswerSeen) -> str:
    """The first part of what is remembered."""
    seen = await place.until(lambda seen: any(one.id == answer.message_id and one.text for one in seen.bots))
    return next(message.text for message in seen.bots if message.id == answer.message_id)
