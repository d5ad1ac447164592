"""Text and its entities, as Telegram checks them. Offsets and lengths are UTF-16 units."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.limits import Limits
from bots.sandbox.local_telegram.parameters import Parameters
from bots.sandbox.local_telegram.refusals import bad_request

_KINDS = {
    "mention",
    "hashtag",
    "cashtag",
    "bot_command",
    "url",
    "email",
    "phone_number",
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "blockquote",
    "expandable_blockquote",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "custom_emoji",
    "date_time",
}
_FARTHEST = 1_000_000
#: Of an entity without its link.
_ENTITY_BYTES = 12
_FOUND = {
    "bot_command": re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?"),
    "mention": re.compile(r"(?<![\w@])@[A-Za-z][A-Za-z0-9_]{3,31}"),
    "url": re.compile(r"https?://[^\s<>\"]+"),
}


@dataclass(frozen=True, slots=True)
class FormattedText:
    text: str
    entities: tuple[JsonObject, ...] = ()
    #: Entities that Telegram drops without a word.
    dropped: int = 0


def units(text: str) -> int:
    """How long Telegram takes it to be."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def found_entities(text: str) -> list[JsonObject]:
    """What Telegram finds in people's text by itself: commands, mentions, links."""
    found: list[JsonObject] = [
        {"type": kind, "offset": units(text[: match.start()]), "length": units(match[0])}
        for kind, pattern in _FOUND.items()
        for match in pattern.finditer(text)
    ]
    return sorted(found, key=lambda entity: str(entity["offset"]).zfill(8))


def given_text(parameters: Parameters, limits: Limits, name: str = "text", entities: str = "entities") -> FormattedText:
    """The text of a call, without the white space around it. Raises Refused."""
    text = parameters.text(name)
    if parameters.text("parse_mode"):
        raise bad_request("unsupported parse_mode: this local server is spoken to by entities alone")
    if len(text.encode("utf-8", "surrogatepass")) > 1 << 15:
        raise bad_request("text is too long")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise bad_request("strings must be encoded in UTF-8") from None
    checked = _checked(text, parameters.json(entities, "entities"))
    kept, dropped = checked[: limits.entities], len(checked[limits.entities :])
    if sum(_size(entity) for entity in kept) > limits.entity_bytes:
        raise bad_request("ENTITIES_TOO_LONG")
    return _trimmed(text, kept, dropped)


def _checked(text: str, given: object) -> list[JsonObject]:
    """Without the empty ones, in their order."""
    if not isinstance(given, list):
        return []
    entities = sorted((_entity(item) for item in given), key=lambda found: (found[0], -found[1]))
    borders = _borders(text)
    end = units(text)
    for offset, length, _ in entities:
        if offset >= end and length:
            raise bad_request(f"entity begins after the end of the text at UTF-16 offset {offset}")
        if offset + length > end:
            raise bad_request(
                f"entity beginning at UTF-16 offset {offset} ends after the end of the text"
                f" at UTF-16 offset {offset + length}"
            )
        if offset not in borders:
            raise bad_request(
                f"entity begins in a middle of a UTF-16 symbol at byte offset {_byte_offset(text, offset)}"
            )
        if offset + length not in borders:
            raise bad_request(
                f"entity beginning at UTF-16 offset {offset} ends in a middle of a UTF-16 symbol"
                f" at byte offset {_byte_offset(text, offset + length)}"
            )
    return [entity for _, length, entity in entities if length]


def _entity(item: object) -> tuple[int, int, JsonObject]:
    if not isinstance(item, dict):
        raise bad_request("can't parse MessageEntity: expected an Object")
    kind, offset, length = item.get("type"), item.get("offset"), item.get("length")
    if not isinstance(kind, str):
        raise bad_request("can't parse MessageEntity: type is not specified")
    if kind not in _KINDS:
        raise bad_request("can't parse MessageEntity: unsupported type specified")
    if not isinstance(offset, int) or not isinstance(length, int):
        missing = "length" if isinstance(offset, int) else "offset"
        raise bad_request(f"can't parse MessageEntity: can't find field \"{missing}\"")
    if not 0 <= offset <= _FARTHEST:
        raise bad_request(f"receive an entity with incorrect offset {offset}")
    if not 0 <= length <= _FARTHEST:
        raise bad_request(f"receive an entity with incorrect length {length}")
    return offset, length, item


def _borders(text: str) -> set[int]:
    """The offsets at which a character begins, and the end."""
    return set(_offsets(text))


def _offsets(text: str) -> Iterator[int]:
    offset = 0
    for character in text:
        yield offset
        offset += 2 if ord(character) > 0xFFFF else 1
    yield offset


def _byte_offset(text: str, offset: int) -> int:
    return len(text.encode("utf-16-le")[: 2 * offset].decode("utf-16-le", "ignore").encode())


def _size(entity: JsonObject) -> int:
    more = (entity.get(name) for name in ("url", "language", "custom_emoji_id"))
    return _ENTITY_BYTES + sum(len(value.encode()) for value in more if isinstance(value, str))


def _trimmed(text: str, entities: list[JsonObject], dropped: int) -> FormattedText:
    trimmed = text.strip()
    start = units(text) - units(text.lstrip())
    end = units(trimmed)
    kept: list[JsonObject] = []
    for entity in entities:
        first = max(int(str(entity["offset"])) - start, 0)
        last = min(int(str(entity["offset"])) + int(str(entity["length"])) - start, end)
        if last > first:
            kept.append({**entity, "offset": first, "length": last - first})
    return FormattedText(trimmed, tuple(kept), dropped)
