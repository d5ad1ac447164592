"""Files that come with a message, albums, and threads that want a name."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.answering.titles import title_of
from core.attachments import AttachmentLimits
from core.dialogue import Attachment, Called, InboundMessage, Person, Platform
from core.ports import Arrival
from tests.integration.walk.revising import KEY, PlaceOn, edit, person, remembered
from tests.platforms.kinds import DISCORD, SLACK, TELEGRAM, Kind
from tests.platforms.paper_bot import OPTIONS, PaperBot, Place
from tests.platforms.paper_platform import CallFailed, Trouble

_UNREAD = "I did not read {}: I can read text files of up to 32 KiB."
_ROOMY = replace(DISCORD, limit_chars=2000)
_NAMING = replace(_ROOMY, capabilities=replace(DISCORD.capabilities, names_threads=True))


@pytest.fixture
def roomy(place_on: PlaceOn) -> Place:
    return place_on(_ROOMY)


def file(name: str, media_type: str = "text/plain", size_bytes: int = 10, handle: str = "") -> Attachment:
    return Attachment(name, media_type, size_bytes, handle or name)


def message(bot: PaperBot, text: str, *files: Attachment, id: str = "m1", album: str = "") -> InboundMessage:  # noqa: A002
    key = replace(KEY, platform=bot.platform.kind.platform)
    return InboundMessage(
        key, person(bot), id, text, datetime.now(UTC), Called(directly=True), attachments=files, album=album
    )


async def hears(bot: PaperBot, *messages: InboundMessage) -> None:
    await bot.accept([Arrival("{}", one) for one in messages])
    await bot.settles()


class TestTextFiles:
    async def test_a_text_file_is_read_into_the_turn(self, roomy: Place) -> None:
        roomy.platform.files["notes.txt"] = "Buy milk."
        async with roomy.bot() as bot:
            await hears(bot, message(bot, "What shall I buy?", file("notes.txt")))

            assert bot.model.asked() == ["What shall I buy?\n\n[notes.txt]\nBuy milk."]
            assert len(bot.platform.said("m1")) == 1

    async def test_a_file_alone_is_a_question_as_well(self, roomy: Place) -> None:
        roomy.platform.files["message.txt"] = "How are you?"
        async with roomy.bot() as bot:
            await hears(bot, message(bot, "", file("message.txt", "")))

            assert bot.model.asked() == ["[message.txt]\nHow are you?"]

    @pytest.mark.parametrize(
        "unread",
        [file("long.txt", size_bytes=32 * 1024 + 1), file("cat.jpg", "image/jpeg"), file("data.bin", "application/x")],
        ids=["too long", "a picture", "no text"],
    )
    async def test_what_is_not_read_is_named_below_the_reply(self, roomy: Place, unread: Attachment) -> None:
        roomy.platform.files |= {"long.txt": "x", "cat.jpg": "x", "data.bin": "\0\1"}
        async with roomy.bot() as bot:
            await hears(bot, message(bot, "Look at this", unread))

            assert bot.model.asked() == ["Look at this"]
            assert bot.platform.said("m1")[0].endswith("\n\n" + _UNREAD.format(f"`{unread.name}`"))
            assert not any("did not read" in text for text in await remembered(bot))

    async def test_a_file_that_is_longer_than_it_was_said_to_be_is_not_read(self, roomy: Place) -> None:
        roomy.platform.files["sly.txt"] = "x" * (32 * 1024 + 1)
        async with roomy.bot() as bot:
            await hears(bot, message(bot, "Read it", file("sly.txt", size_bytes=0)))

            assert bot.model.asked() == ["Read it"]
            assert "`sly.txt`" in bot.platform.said("m1")[0]

    async def test_a_picture_alone_is_answered_without_the_model(self, roomy: Place) -> None:
        async with roomy.bot() as bot:
            await hears(bot, message(bot, "", file("", "image/jpeg", handle="x")))

            assert bot.model.asked() == []
            assert bot.platform.said("m1") == [_UNREAD.format("`image/jpeg`")]
            assert [one.state for one in await bot.told()] == ["delivered"]

    async def test_a_platform_that_is_away_is_asked_for_the_file_again(self, roomy: Place) -> None:
        roomy.platform.files["notes.txt"] = "Buy milk."
        roomy.platform.plan("read", CallFailed(Trouble.AWAY))
        async with roomy.bot() as bot:
            await hears(bot, message(bot, "What?", file("notes.txt")))

            assert bot.model.asked() == ["What?\n\n[notes.txt]\nBuy milk."]

    async def test_a_file_that_never_comes_keeps_nobody_waiting(self, roomy: Place) -> None:
        roomy.platform.files["notes.txt"] = "Buy milk."
        roomy.platform.plan("read", *[CallFailed(Trouble.AWAY)] * 9)
        async with roomy.bot() as bot:
            await hears(bot, message(bot, "What?", file("notes.txt")))

            assert bot.model.asked() == ["What?"]
            assert "`notes.txt`" in bot.platform.said("m1")[0]

    async def test_a_name_that_no_database_can_hold_is_cleaned(self, roomy: Place) -> None:
        async with roomy.bot() as bot:
            await hears(bot, message(bot, "Look", Attachment("a\0\ud800b\n`c`", "image/\0x", 1, "handle")))

            assert roomy.platform.said("m1")[0].endswith("`a�b 'c'`: I can read text files of up to 32 KiB.")

    async def test_a_handle_that_no_database_can_hold_makes_a_dead_letter(self, roomy: Place) -> None:
        async with roomy.bot() as bot:
            await hears(bot, message(bot, "Look", file("a.txt", handle="\ud800")))

            assert [one.state for one in await bot.told()] == ["dead"]

    async def test_reading_can_be_switched_off(self, roomy: Place) -> None:
        roomy.platform.files["notes.txt"] = "Buy milk."
        off = replace(OPTIONS, answer=replace(OPTIONS.answer, attachments=AttachmentLimits(0)))
        async with roomy.bot(options=off) as bot:
            await hears(bot, message(bot, "What?", file("notes.txt")))

            assert bot.model.asked() == ["What?"]
            assert "read" not in {call.name for call in bot.platform.log}

    async def test_an_edit_of_the_words_keeps_the_file(self, roomy: Place) -> None:
        roomy.platform.files["notes.txt"] = "Buy milk."
        async with roomy.bot() as bot:
            await hears(bot, message(bot, "What?", file("notes.txt")))
            await bot.receives(edit("m1", "How much?"))
            await bot.settles()

            assert bot.model.asked()[-1] == "How much?\n\n[notes.txt]\nBuy milk."


class TestAlbums:
    async def test_an_album_is_one_turn(self, roomy: Place) -> None:
        roomy.platform.files |= {"a.txt": "one", "b.txt": "two"}
        async with roomy.bot() as bot:
            first = message(bot, "Compare them", file("a.txt"), id="m1", album="a1")
            await bot.accept([Arrival("{}", first)])
            await hears(bot, message(bot, "", file("b.txt"), id="m2", album="a1"))

            assert bot.model.asked() == ["Compare them\n\n[a.txt]\none\n\n[b.txt]\ntwo"]
            assert [len(bot.platform.said(one)) for one in ("m1", "m2")] == [1, 0]

    async def test_pictures_of_an_album_are_named_once(self, roomy: Place) -> None:
        pictures = [file(f"{name}.jpg", "image/jpeg") for name in "ab"]
        async with roomy.bot() as bot:
            await hears(
                bot, *(message(bot, "", one, id=f"m{number}", album="a1") for number, one in enumerate(pictures))
            )

            assert bot.platform.seen("general") == [_UNREAD.format("`a.jpg`, `b.jpg`")]


class TestTitles:
    async def test_a_thread_that_wants_a_name_gets_it_from_its_first_question(self, place_on: PlaceOn) -> None:
        place = place_on(_NAMING)
        async with place.bot() as bot:
            first = replace(message(bot, "How do I bake bread?\nWith yeast."), wants_title=True)
            await hears(bot, first)
            await hears(bot, replace(message(bot, "And a cake?", id="m2"), wants_title=True))

            assert place.platform.names == {"general": "How do I bake bread?"}
            assert [call.name for call in place.platform.log].count("name") == 1

    async def test_a_thread_that_can_not_be_named_is_answered_all_the_same(self, place_on: PlaceOn) -> None:
        place = place_on(_NAMING)
        place.platform.plan("name", CallFailed(Trouble.REFUSED))
        async with place.bot() as bot:
            await hears(bot, replace(message(bot, "hi"), wants_title=True))

            assert len(place.platform.said("m1")) == 1
            assert place.platform.names == {}

    async def test_a_platform_that_is_away_is_asked_for_the_name_with_the_next_question(
        self, place_on: PlaceOn
    ) -> None:
        place = place_on(_NAMING)
        place.platform.plan("name", CallFailed(Trouble.AWAY))
        async with place.bot() as bot:
            for number, text in enumerate(("Bread?", "Cake?")):
                await hears(bot, replace(message(bot, text, id=f"m{number}"), wants_title=True))

            assert place.platform.names == {"general": "Cake?"}

    @pytest.mark.parametrize(
        ("text", "title"),
        [
            (
                "Tell me all that you know of the history of bread in the Alps",
                "Tell me all that you know of the history of bread in the…",
            ),
            ("x" * 70, "x" * 59 + "…"),
            ("\n  Short.  \nmore", "Short."),
            ("/help", ""),
        ],
    )
    def test_a_title_is_the_first_line_and_short(self, text: str, title: str) -> None:
        anna = Person(Platform.DISCORD, "w", "anna", "Anna")

        assert title_of(InboundMessage(KEY, anna, "m1", text, datetime.now(UTC))) == title


class TestDrawnReplies:
    @pytest.mark.parametrize("on", [DISCORD, SLACK, TELEGRAM], ids=lambda kind: kind.name)
    async def test_only_what_the_model_says_can_be_judged(self, place_on: PlaceOn, on: Kind) -> None:
        place = place_on(on)
        async with place.bot() as bot:
            await bot.says("hi", id="m1")
            await bot.settles()
            await bot.says("/help", id="m2")
            await bot.settles()

            sent = [call.words for call in place.platform.log if "drawn" in call.words]
            assert {(words["reply_to"], words["drawn"]) for words in sent} == {("m1", "yes"), ("m2", "")}
