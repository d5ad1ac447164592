"""What JSON says, held to what it should be: python-telegram-bot takes any value for a number or a text."""

from core.clean_text import is_storable

#: Telegram's ids have at most 52 bits; this is what a database can count to.
_LIMIT = 1 << 63


class NotUnderstood(ValueError):
    """Its words are the program's own: no part of what came."""


def number(value: object) -> int:
    """Raises NotUnderstood."""
    if isinstance(value, bool) or not isinstance(value, int) or not -_LIMIT < value < _LIMIT:
        raise NotUnderstood("what should be a whole number is none")
    return value


def word(value: object) -> str:
    """An id, or what is like one: it is kept as it is, and never changed. Raises NotUnderstood."""
    if not is_storable(text(value)):
        raise NotUnderstood("an id holds a NUL or half of a character")
    return text(value)


def text(value: object) -> str:
    """Raises NotUnderstood."""
    if not isinstance(value, str):
        raise NotUnderstood("what should be a text is none")
    return value
