"""What comes with a message besides its words is named, and not fetched."""

import pytest

from core.dialogue import Attachment
from tests.unit.telegram.recorded import message_of


def test_a_document_is_told_whole() -> None:
    message = message_of("document")

    assert message.text == "What does it say?"
    assert message.attachments == (Attachment("notes.txt", "text/plain", 2048, "BQACAgIAAxkBAAIB"),)


@pytest.mark.parametrize(
    ("name", "attachment"),
    [
        ("album_first", Attachment("", "image/jpeg", 81234, "AgACAgIAAxkBlarge1")),
        ("voice", Attachment("", "audio/ogg", 9216, "AwACAgIAAxkBAAIC")),
        ("video_note", Attachment("", "video/mp4", 120000, "DQACAgIAAxkBAAID")),
        ("sticker", Attachment("", "application/x-tgsticker", 30000, "CAACAgIAAxkBAAIE")),
        ("animation", Attachment("cat.mp4", "video/mp4", 50000, "CgACAgIAAxkBAAIF")),
        ("audio", Attachment("song.mp3", "audio/mpeg", 4000000, "CQACAgIAAxkBAAIG")),
        ("video", Attachment("", "video/mp4", 900000, "BAACAgIAAxkBAAIH")),
        ("location", Attachment("location", "", 0, "")),
        ("venue", Attachment("venue", "", 0, "")),
        ("contact", Attachment("contact", "", 0, "")),
        ("poll", Attachment("poll", "", 0, "")),
        ("dice", Attachment("dice", "", 0, "")),
    ],
)
def test_each_kind_of_thing_is_one_attachment(name: str, attachment: Attachment) -> None:
    assert message_of(name).attachments == (attachment,)


def test_words_alone_have_none() -> None:
    assert message_of("private_text").attachments == ()
