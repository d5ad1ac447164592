"""What a message says to the bot, and how it calls it.

The model never sees its own handle: "@banter_bot what is rain?" says "what is rain?", and "/stop@banter_bot" says
"/stop". What names the bot is cut where Telegram itself found a mention, so a handle within code stays. A command that
names another bot is that one's alone. Offsets count UTF-16 units.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from telegram import MessageEntity

from adapters.calling_by_name import AFTER_NAME, joined
from adapters.telegram.account import TelegramAccount

_START, _LINK = "/start", "link-"
_UTF16 = "utf-16-le"


@dataclass(frozen=True, slots=True)
class Heard:
    #: As the core's: without the bot's name, and a deep link as what it stands for.
    text: str
    by_mention: bool = False
    by_command: bool = False
    #: It is a command that another bot shall carry out.
    is_for_another: bool = False


def heard(text: str, entities: Sequence[MessageEntity], account: TelegramAccount) -> Heard:
    """Entities that don't fit the text are passed over."""
    units = text.encode(_UTF16, "surrogatepass")
    command = next((said for at, said in _of_kind(units, entities, MessageEntity.BOT_COMMAND) if at == 0), "")
    name, _, addressed = command.partition("@")
    if addressed and not account.is_called(addressed):
        return Heard(text, is_for_another=True)
    mentions = sorted(_mentions(units, entities, account))
    words = _without(units, mentions)
    if command:
        words = _followed(f"{name} {words[len(command) :].lstrip(AFTER_NAME)}".rstrip())
    return Heard(words, bool(mentions), bool(command))


def _followed(text: str) -> str:
    """Somebody came by a link (t.me/banter_bot?start=…): it holds a code, or nothing."""
    name, *payload = text.split(maxsplit=1)
    if name.casefold() != _START:
        return text
    if payload and payload[0].startswith(_LINK):
        return f"/link {payload[0].removeprefix(_LINK)}"
    return payload[0] if payload else "/help"


def _of_kind(units: bytes, entities: Sequence[MessageEntity], kind: str) -> Iterator[tuple[int, str]]:
    """(offset, what it says)"""
    for entity in entities:
        if entity.type == kind and _fits(entity, units):
            cut = units[2 * entity.offset : 2 * (entity.offset + entity.length)]
            yield entity.offset, cut.decode(_UTF16, "surrogatepass")


def _fits(entity: MessageEntity, units: bytes) -> bool:
    offset, length = entity.offset, entity.length
    return isinstance(offset, int) and isinstance(length, int) and 0 <= offset < offset + length <= len(units) // 2


def _mentions(units: bytes, entities: Sequence[MessageEntity], account: TelegramAccount) -> Iterator[tuple[int, int]]:
    """Where the bot is named: from, and to."""
    for at, said in _of_kind(units, entities, MessageEntity.MENTION):
        if account.is_called(said):
            yield at, at + len(said)  # a handle is ASCII
    for entity in entities:
        is_bot = entity.user is not None and str(entity.user.id) == account.id
        if entity.type == MessageEntity.TEXT_MENTION and is_bot and _fits(entity, units):
            yield entity.offset, entity.offset + entity.length


def _without(units: bytes, cuts: Sequence[tuple[int, int]]) -> str:
    """The text without these stretches, and without the gaps that they leave."""
    kept, end = [], 0
    for start, stop in cuts:
        kept.append(units[2 * end : 2 * max(start, end)])
        end = max(stop, end)
    kept.append(units[2 * end :])
    return reduce(joined, (piece.decode(_UTF16, "surrogatepass") for piece in kept))
