"""Files that came with a message → the text of its turn, as far as they are text.

A file is data: it stands in the turn below its name, and nothing in it is followed. What is too long or no text is not
read, and the person is told so by its name.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from core.clean_text import clean_text
from core.dialogue import Attachment, SessionKey
from core.errors import PlatformAway, PlatformError, PlatformRefused
from core.ports import Sender

#: What no text is sent as.
_NO_TEXT = ("image/", "audio/", "video/", "font/")
_NAME_LIMIT_CHARS = 80


@dataclass(frozen=True, slots=True)
class AttachmentLimits:
    #: A longer file is not read; 0 reads none.
    size_bytes: int = 32 * 1024
    #: Of one turn.
    files: int = 4
    #: For all of them.
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class ReadFiles:
    #: As it stands in the turn, each file below its name.
    text: str = ""
    #: The names of those that were not read.
    unread: tuple[str, ...] = ()


async def read_files(
    sender: Sender, key: SessionKey, files: Sequence[Attachment], limits: AttachmentLimits, *, gives_up: bool
) -> ReadFiles:
    """Raises PlatformError where a file can't be had now; with `gives_up` it is one that was not read."""
    read: list[str] = []
    unread: list[str] = []
    give_up_at = asyncio.get_running_loop().time() + limits.timeout_s
    #: A file that is gone, or larger than the platform gives out, will never be had.
    forgiven = PlatformError if gives_up else PlatformRefused
    for file in files:
        text = None
        if len(read) < limits.files and _may_be_text(file, limits):
            with contextlib.suppress(forgiven):
                async with _until(give_up_at):
                    text = await _text_of(sender, key, file, limits)
        name = shown_name(file)
        if text is None:
            unread.append(name)
        else:
            read.append(f"[{name}]\n{text}")
    return ReadFiles("\n\n".join(read), tuple(unread))


def with_files(text: str, files: ReadFiles) -> str:
    """The turn's text."""
    return "\n\n".join(part for part in (text, files.text) if part)


def with_other_words(turn: str, said: str, new: str) -> str:
    """The turn's text when what was `said` in it is edited; its files stay."""
    return new + turn[len(said) :] if turn.startswith(said) else new


def shown_name(file: Attachment) -> str:
    """One short line; what kind of file it is, where it has no name."""
    line = " ".join(clean_text(file.name or file.media_type).replace("`", "'").split())
    return line[:_NAME_LIMIT_CHARS] or "?"


def _may_be_text(file: Attachment, limits: AttachmentLimits) -> bool:
    return file.size_bytes <= limits.size_bytes and limits.size_bytes > 0 and not file.media_type.startswith(_NO_TEXT)


@contextlib.asynccontextmanager
async def _until(moment: float) -> AsyncIterator[None]:
    """Raises PlatformAway when it is over."""
    try:
        async with asyncio.timeout_at(moment):
            yield
    except TimeoutError:
        raise PlatformAway("a file did not come in time") from None


async def _text_of(sender: Sender, key: SessionKey, file: Attachment, limits: AttachmentLimits) -> str | None:
    content = await sender.read(key, file, limits.size_bytes + 1)
    return None if len(content) > limits.size_bytes else _decoded(content)


def _decoded(content: bytes) -> str | None:
    """None where it is no text."""
    with contextlib.suppress(UnicodeDecodeError):
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        return None if "\0" in text else clean_text(text)
    return None
