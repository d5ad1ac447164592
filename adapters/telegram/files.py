"""What came with a message besides its words. Nothing is fetched here."""

from collections.abc import Iterator

from telegram import Animation, Audio, Document, Message, Sticker, Video, VideoNote, Voice

from adapters.telegram.told import text, word
from core.clean_text import clean_text
from core.dialogue import Attachment

_File = Animation | Audio | Document | Sticker | Video | VideoNote | Voice

#: What is no file; it goes by its name, so that people can be told that it was not read.
_THINGS = ("venue", "location", "contact", "poll", "dice", "game", "story", "checklist", "paid_media", "giveaway")
#: Where Telegram tells no media type.
_USUAL = {"video": "video/mp4", "video_note": "video/mp4", "voice": "audio/ogg", "animation": "video/mp4"}
#: The largest size that is believed.
_LIMIT_BYTES = 1 << 53


def attachments_of(message: Message) -> tuple[Attachment, ...]:
    """Raises NotUnderstood."""
    return tuple(_found(message))


def _found(message: Message) -> Iterator[Attachment]:
    if message.animation is not None:  # it is told as a document too
        yield _file("animation", message.animation)
    elif message.document is not None:
        yield _file("document", message.document)
    for kind in ("audio", "video", "video_note", "voice", "sticker"):
        file: _File | None = getattr(message, kind)
        if file is not None:
            yield _file(kind, file)
    if message.photo:
        largest = message.photo[-1]
        yield Attachment("", "image/jpeg", _size(largest.file_size), word(largest.file_id))
    thing = next((kind for kind in _THINGS if getattr(message, kind) is not None), None)
    if thing is not None:  # a venue is told as a location too
        yield Attachment(thing.replace("_", " "), "", 0, "")


def _file(kind: str, file: _File) -> Attachment:
    name = getattr(file, "file_name", None) or ""
    media_type = _sticker_type(file) if isinstance(file, Sticker) else getattr(file, "mime_type", None)
    return Attachment(
        clean_text(text(name)), word(media_type or _USUAL.get(kind, "")), _size(file.file_size), word(file.file_id)
    )


def _sticker_type(sticker: Sticker) -> str:
    if sticker.is_animated:
        return "application/x-tgsticker"
    return "video/webm" if sticker.is_video else "image/webp"


def _size(value: object) -> int:
    """0 where it is not told."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LIMIT_BYTES:
        return 0
    return value
