"""Markdown → what Telegram is sent: a text, and where in it bold, links and code are. Nothing is parsed there.

telegramify-markdown makes the entities. What it would take from the reader is kept by `twins`; what can't be converted
without a loss is sent as it was written. A text of no visible character, which Telegram refuses, is a placeholder.
"""

import logging
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate

from telegramify_markdown import MessageEntity, RenderConfig, utf16_len
from telegramify_markdown.converter import EventWalker

from adapters.telegram.twins import Lost, Twins, read
from adapters.text import Splitter
from core.clean_text import printable
from core.ports import NewSplitter

logger = logging.getLogger(__name__)

PLACEHOLDER = "…"
LIMIT_UNITS = 4096
LIMIT_ENTITIES = 100
#: Of all entities with their addresses; Telegram refuses a message somewhere above 9,000.
LIMIT_ENTITY_BYTES = 8500

_ENTITY_BYTES = 12
#: Longer than any text that could fit: addresses are not seen, so some room is left for them.
_LONGEST_TRIED_CHARS = 16 * LIMIT_UNITS
_LONGEST_LANGUAGE_CHARS = 40
#: Kept first where there are too many.
_STRUCTURE = frozenset({"pre", "text_link", "code", "blockquote"})
#: What is shown was asked about by the splitter just before, and is asked about again when it is closed.
_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Formatted:
    text: str
    #: Offsets and lengths in UTF-16 code units.
    entities: tuple[MessageEntity, ...] = ()


def formatted(markdown: str) -> Formatted:
    """What a message is to say; within Telegram's limits, whatever it was cut by."""
    return _limited(converted(markdown))


def new_splitter() -> NewSplitter:
    """Parts that fit a message after their conversion."""

    def cut(borders: Sequence[int] = (), limit_chars: int = 0) -> Splitter:  # noqa: ARG001 - Telegram has one limit
        return Splitter(fits, borders)

    return cut


def fits(markdown: str) -> bool:
    if len(markdown) > _LONGEST_TRIED_CHARS:
        return False
    whole = converted(markdown)
    return utf16_len(whole.text) <= LIMIT_UNITS and len(_taken(whole.entities)) == len(whole.entities)


@lru_cache(_REMEMBERED)
def converted(markdown: str) -> Formatted:
    """However long it is."""
    whole = markdown.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    source = printable(whole.replace("\r\n", "\n").replace("\r", "\n"))
    for message in (_read(source), _trimmed(source, ())):
        if message is not None and _is_visible(message.text):
            return message
    return Formatted(PLACEHOLDER)


def _config() -> RenderConfig:
    """Headings, lists and pictures without ornaments."""
    config = RenderConfig.isolated()
    config.cite_expandable = False
    symbols = config.markdown_symbol
    symbols.heading_level_1 = symbols.heading_level_2 = symbols.heading_level_3 = symbols.heading_level_4 = ""
    symbols.unordered_list_item = "•"
    symbols.task_completed, symbols.task_uncompleted = "☑", "☐"
    symbols.image = "🖼 "
    symbols.horizontal_rule = "———"
    return config


_CONFIG = _config()


def _read(markdown: str) -> Formatted | None:
    """None where words would be lost, or where the entities don't fit the text."""
    try:
        twins = Twins(markdown)
        # A block is set apart from what stands before it only where some block stands before that: so one does.
        source, reading = read(f"{twins.of('x')}\n\n{markdown}", twins)
        text, entities, _ = EventWalker(_CONFIG, source).walk(reading)
    except Lost:
        return None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever the parser raises; a panic in its Rust is no Exception
        logger.warning("Markdown could not be converted: %s", type(error).__name__, extra={"action": "convert"})
        return None
    for entity in entities:
        entity.offset -= 1
        entity.url = twins.restored(entity.url) if entity.url else None
        entity.language = twins.restored(entity.language)[:_LONGEST_LANGUAGE_CHARS] if entity.language else None
    return _trimmed(twins.restored(text[1:]), entities)


def _trimmed(text: str, entities: Sequence[MessageEntity]) -> Formatted | None:
    """As Telegram trims it: no white space at its end, and at its start none that is not in an entity.

    None where an entity is out of range.
    """
    units = text.encode("utf-16-le")
    if not all(_is_within(entity, units) for entity in entities):
        return None
    first = min((entity.offset for entity in entities), default=len(units) // 2)
    blank = len(text) - len(text.lstrip())
    before = min(utf16_len(text[:blank]), first)
    text = text[before:].rstrip()  # white space takes one unit a character
    end = utf16_len(text)
    moved = (replace(entity, offset=entity.offset - before) for entity in entities)
    cut = [replace(entity, length=min(entity.length, end - entity.offset)) for entity in moved]
    return Formatted(text, tuple(entity for entity in cut if entity.length > 0))


def _is_within(entity: MessageEntity, units: bytes) -> bool:
    """Whether it begins and ends in the text, and not within a character."""
    end = entity.offset + entity.length
    if entity.offset < 0 or entity.length <= 0 or 2 * end > len(units):
        return False
    return not any(0xDC <= units[2 * place + 1] <= 0xDF for place in (entity.offset, end) if 2 * place < len(units))


def _is_visible(text: str) -> bool:
    return any(unicodedata.category(character)[0] not in "ZC" for character in text)


def _limited(message: Formatted) -> Formatted:
    """For what no splitter has cut."""
    text, entities = message.text, message.entities
    if utf16_len(text) > LIMIT_UNITS:
        units = text.encode("utf-16-le")[: 2 * (LIMIT_UNITS - 1)]
        text = units.decode("utf-16-le", "ignore").rstrip()
        end = utf16_len(text)
        cut = (replace(entity, length=min(entity.length, end - entity.offset)) for entity in entities)
        text, entities = text + PLACEHOLDER, tuple(entity for entity in cut if entity.length > 0)
    if len(_taken(entities)) < len(entities):
        kept = _taken(sorted(entities, key=lambda entity: (entity.type not in _STRUCTURE, entity.offset)))
        entities = tuple(sorted(kept, key=lambda entity: entity.offset))
    return Formatted(text, entities)


def _taken(entities: Sequence[MessageEntity]) -> list[MessageEntity]:
    """As many of the first ones as Telegram takes in a message."""
    sizes = accumulate(_size_bytes(entity) for entity in entities)
    pairs = zip(entities[:LIMIT_ENTITIES], sizes, strict=False)
    return [entity for entity, size in pairs if size <= LIMIT_ENTITY_BYTES]


def _size_bytes(entity: MessageEntity) -> int:
    return _ENTITY_BYTES + len((entity.url or "").encode()) + len((entity.language or "").encode())
