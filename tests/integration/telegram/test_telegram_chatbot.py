"""The whole chatbot on the walk, with a model that needs no time: what people see at Telegram."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.sandbox.local_telegram.account import BotOptions
from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from bots.sandbox.local_telegram.options import NO_RATES, Options
from bots.sandbox.local_telegram.people import Document, Place
from bots.sandbox.local_telegram.sights import ChatSeen
from bots.telegram_chatbot import open_telegram
from bots.walk import Ground, open_walk
from core.memory.database import Database
from core.memory.upgrade import prepare
from core.settings.settings import Settings
from core.settings.telegram import TelegramSettings
from core.voice import Voices
from tests.platforms.paper_bot import OPTIONS, paper_voices
from tests.platforms.paper_model import PaperModel, answer_to

_WAIT_S = 30.0
_WITH_TOPICS = BotOptions(has_topics_enabled=True, users_create_topics=True)
_PATIENT = replace(OPTIONS, lease_s=60.0)


@dataclass(frozen=True, slots=True)
class Scene:
    telegram: LocalTelegram
    model: PaperModel


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    return paper_voices(tmp_path_factory.mktemp("voices"))


@asynccontextmanager
async def chatbot(folder: Path, voices: Voices, bot: BotOptions | None = None) -> AsyncIterator[Scene]:
    model = PaperModel()
    async with (
        local_telegram(Options(bot=bot or BotOptions(), rates=NO_RATES)) as telegram,
        Database(f"sqlite:///{folder / 'banter.db'}") as database,
    ):
        await prepare(database)
        told = TelegramSettings(token=SecretStr(telegram.token), api_url=telegram.base_url)
        async with (
            open_telegram(Settings(telegram=told), b"of the tests", database) as product,
            open_walk(Ground(database, model, voices), [product.account], _PATIENT),
        ):
            yield Scene(telegram, model)


async def finished(place: Place, count: int) -> ChatSeen:
    """Once so many of the bot's messages have the buttons of a whole reply."""

    def is_there(seen: ChatSeen) -> bool:
        whole = [message for message in seen.bots if message.buttons and len(message.buttons[0]) == 3]
        return len(whole) >= count

    return await place.until(is_there, _WAIT_S)


async def test_a_topic_that_nobody_named_is_named_after_its_first_question(tmp_path: Path, voices: Voices) -> None:
    async with chatbot(tmp_path, voices, _WITH_TOPICS) as scene:
        ann = await scene.telegram.person("Ann")
        implicit = await ann.opens_topic("New chat", is_name_implicit=True)
        chosen = await ann.opens_topic("My bread")
        await ann.says("How do I bake bread?", thread_id=implicit)
        await ann.says("And rolls?", thread_id=chosen)
        await finished(ann.chat, 2)
        await ann.says("And with yeast?", thread_id=implicit)
        seen = await finished(ann.chat, 3)
        seen = await ann.chat.until(lambda chat: chat.topics[0].name != "New chat", _WAIT_S)

        assert {topic.message_thread_id: topic.name for topic in seen.topics} == {
            implicit: "How do I bake bread?",
            chosen: "My bread",
        }
        assert sorted(message.thread_id for message in seen.bots) == sorted([implicit, chosen, implicit])


async def test_a_group_asks_about_what_somebody_else_said(tmp_path: Path, voices: Voices) -> None:
    async with chatbot(tmp_path, voices) as scene:
        ann, ben = await scene.telegram.person("Ann"), await scene.telegram.person("Ben")
        group = await scene.telegram.group("Friends", ann, ben)
        said = await ben.says("Der Schlüssel klemmt.", group)
        await ann.says(f"@{scene.telegram.bot_username} what does that mean?", group, reply_to=said)
        await finished(group, 1)

        assert scene.model.asked() == ["> Der Schlüssel klemmt.\n\nwhat does that mean?"]


async def test_an_album_of_a_text_and_a_picture_is_one_question(tmp_path: Path, voices: Voices) -> None:
    async with chatbot(tmp_path, voices) as scene:
        ann = await scene.telegram.person("Ann")
        notes = Document("notes.txt", b"Buy milk.")
        picture = Document("cat.pdf", b"%PDF-1.7 \xff\xfe\x00", type="application/pdf")
        await ann.sends(notes, picture, caption="What shall I buy?")
        seen = await finished(ann.chat, 1)

        assert scene.model.asked() == ["What shall I buy?\n\n[notes.txt]\nBuy milk."]
        assert "I did not read cat.pdf: I can read text files of up to 32 KiB." in seen.bots[0].text
        assert len(seen.bots) == 1


async def test_a_picture_alone_is_answered_without_the_model(tmp_path: Path, voices: Voices) -> None:
    async with chatbot(tmp_path, voices) as scene:
        ann = await scene.telegram.person("Ann")
        await ann.sends(Document("cat.jpg", b"\xff\xd8", type="image/jpeg", is_photo=True))
        seen = await ann.chat.until(lambda chat: any("did not read" in one.text for one in chat.bots), _WAIT_S)

        assert scene.model.asked() == []
        assert seen.bots[0].buttons == []


async def test_a_dialogue_goes_with_its_group_to_the_supergroup(tmp_path: Path, voices: Voices) -> None:
    async with chatbot(tmp_path, voices) as scene:
        ann = await scene.telegram.person("Ann")
        group = await scene.telegram.group("Friends", ann, kind="group")
        await ann.says(f"@{scene.telegram.bot_username} first", group)
        await finished(group, 1)
        supergroup = await group.upgrade()
        await ann.says(f"@{scene.telegram.bot_username} second", supergroup)
        await finished(supergroup, 1)

        spoken = [message.content for message in scene.model.requests[-1].prompt.messages]
        assert spoken == ["first", answer_to("first"), "second"]
