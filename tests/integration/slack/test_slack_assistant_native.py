"""The whole assistant in Slack's own places: what people do there comes to an answer where they expect it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from adapters.slack.labels import NativeLabels
from adapters.slack.native import ASK_SHORTCUT
from bots.sandbox.local_slack.driver import local_slack
from bots.sandbox.local_slack.people import Person
from core.memory.tables import DeliveryRow
from core.voice import Voices
from tests.integration.slack.assistants import WAIT_S, Scene, assistant, by_http, scene
from tests.platforms.paper_bot import paper_voices
from tests.platforms.paper_model import PaperModel, answer_to

LABELS = NativeLabels()


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    return paper_voices(tmp_path_factory.mktemp("voices"))


@pytest.fixture
async def found(tmp_path: Path, voices: Voices) -> AsyncIterator[Scene]:
    async with scene(tmp_path, voices, over_http=True) as found:
        yield found


@pytest.fixture
async def ann(found: Scene) -> Person:
    return await found.slack.person("Ann")


async def recorded(found: Scene, replies: int) -> None:
    """A reply is seen a moment before its handle is written down; nobody presses that fast."""
    delivered = select(func.count()).where(DeliveryRow.state == "delivered")
    async with asyncio.timeout(WAIT_S):
        while True:
            async with found.database.reading() as connection:
                if await connection.scalar(delivered) == replies:
                    return
            await asyncio.sleep(0.01)


async def test_forget_me_empties_the_home_for_good(found: Scene, ann: Person) -> None:
    await ann.says("my cat is called Mia")
    await ann.dm.shows(answer_to("my cat is called Mia"), WAIT_S)
    await ann.opens_app("home")
    assert "my cat is called Mia" in (await ann.home()).texts

    await ann.presses_in_home(LABELS.home.forget_me)

    await ann.dm.shows("What you said is forgotten. Turns erased: 2", WAIT_S)
    await ann.opens_app("home")
    await found.slack.called("views.publish", 3)
    assert "my cat is called Mia" not in (await ann.home()).texts
    assert LABELS.home.empty in (await ann.home()).texts


async def test_one_dialogue_is_forgotten_and_the_others_stay(found: Scene, ann: Person) -> None:
    await ann.says("hello")
    await ann.dm.shows(answer_to("hello"), WAIT_S)
    await ann.says("a secret")
    await ann.dm.shows(answer_to("a secret"), WAIT_S)
    await ann.opens_app("home")
    await ann.home()

    await ann.presses_in_home(LABELS.home.forget)  # of the newest

    await ann.dm.shows("The dialogue is forgotten. Turns erased: 2", WAIT_S)
    await ann.opens_app("home")
    await found.slack.called("views.publish", 3)
    assert "hello" in (await ann.home()).texts
    assert "a secret" not in (await ann.home()).texts


async def test_a_setting_is_changed_and_answered_in_its_thread(found: Scene, ann: Person) -> None:
    asked = await ann.says("hello")
    await ann.dm.shows(answer_to("hello"), WAIT_S)
    await ann.opens_app("home")
    await ann.home()
    await ann.presses_in_home(LABELS.home.settings)
    await ann.modal()

    await ann.submits(streaming="off")

    told = await ann.dm.shows("Replies are shown when they are whole.", WAIT_S)
    assert told.root_ts == asked.ts
    await ann.presses_in_home(LABELS.home.settings)
    modal = await ann.modal()
    [streaming] = [block["element"] for block in modal.blocks if block["block_id"] == "streaming"]
    assert isinstance(streaming, dict)
    assert streaming["initial_option"]["value"] == "off"


async def test_a_question_to_the_slash_command_is_answered_to_that_person_alone(found: Scene, ann: Person) -> None:
    ben = await found.slack.person("Ben")
    kitchen = await found.slack.channel("kitchen", ann, ben)

    assert (await ann.commands("/banter ask hello", kitchen)).is_ack

    answer = await kitchen.shows(answer_to("hello"), WAIT_S)
    assert answer.only_for == ann.id


async def test_the_slash_command_knows_the_cores_commands(found: Scene, ann: Person) -> None:
    kitchen = await found.slack.channel("kitchen", ann)
    await ann.commands("/banter new", kitchen)

    assert (await kitchen.shows("A new dialogue begins.", WAIT_S)).only_for == ann.id
    assert found.model.asked() == []


async def test_a_message_that_is_asked_about_is_in_the_question(found: Scene, ann: Person) -> None:
    ben = await found.slack.person("Ben")
    kitchen = await found.slack.channel("kitchen", ann, ben)
    root = await ben.says("it will rain", kitchen)
    await ann.uses_shortcut(ASK_SHORTCUT, root, kitchen)
    await ann.modal()

    await ann.submits(question="why?")

    [answer] = await kitchen.answers(1, root=root, timeout_s=WAIT_S)
    assert not answer.only_for
    [question] = found.model.asked()
    assert "it will rain" in question
    assert question.endswith("why?")


async def test_where_the_bot_is_not_a_question_is_answered_in_the_dm(found: Scene, ann: Person) -> None:
    ben = await found.slack.person("Ben")
    elsewhere = await found.slack.channel("elsewhere", ann, ben, installs=[])
    root = await ben.says("it will rain", elsewhere)
    await ann.uses_shortcut(ASK_SHORTCUT, root, elsewhere)
    await ann.modal()

    await ann.submits(question="why?")

    await ann.dm.answers(1, timeout_s=WAIT_S)
    assert (await elsewhere.look()).bots == []


async def test_the_buttons_below_a_reply_judge_it_and_draw_another_one(tmp_path: Path, voices: Voices) -> None:
    drawn = iter(["one", "two"])
    model = PaperModel(lambda _: next(drawn))
    async with local_slack() as slack, assistant(tmp_path, voices, by_http(slack), slack, model) as found:
        ann = await slack.person("Ann")
        asked = await ann.says("hello")
        answer = await ann.dm.shows("one", WAIT_S)
        await recorded(found, 1)
        good, _, again = answer.labels

        assert (await ann.presses(good, answer)).is_ack
        assert (await ann.presses(again, answer)).is_ack

        assert (await ann.dm.shows("two", WAIT_S)).root_ts == asked.ts


async def test_a_button_that_was_made_for_another_channel_does_nothing(found: Scene, ann: Person) -> None:
    kitchen = await found.slack.channel("kitchen", ann)
    root = await ann.says(f"{found.slack.mention} hello", kitchen)
    answer = await kitchen.shows(answer_to("hello"), WAIT_S)
    await ann.says("hi")
    own = await ann.dm.shows(answer_to("hi"), WAIT_S)
    await recorded(found, 2)
    again = answer.labels[-1]

    assert (await ann.presses(again, answer, kitchen, forged=_value_of(own.blocks, again))).is_ack
    await found.slack.settled()
    assert len(found.model.requests) == 2

    assert (await ann.presses(again, answer, kitchen)).is_ack
    await kitchen.answers(2, root=root, timeout_s=WAIT_S)
    assert len(found.model.requests) > 2


def _value_of(blocks: object, label: str) -> str:
    """Of the last button."""
    assert isinstance(blocks, tuple)
    [button] = blocks[-1]["elements"]
    assert button["text"]["text"] == label
    return str(button["value"])
