"""Text from outside, as every database, prompt and screen can hold it."""

import re

# Controls that a terminal or a database would take as an order, and the invisible marks that turn text around.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean_text(text: str) -> str:
    """What a person sent, as text that every database, prompt and screen can hold.

    Line ends become ``\\n``; control characters, bidirectional overrides and halves of surrogate pairs go;
    white space around the text goes. Emoji and every script stay as they are.
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return printable(whole.replace("\r\n", "\n").replace("\r", "\n")).strip()


def is_storable(text: str) -> bool:
    """Whether every database can hold it as it is: no NUL, and no half of a surrogate pair."""
    return _UNSTORABLE.search(text) is None


def printable(text: str) -> str:
    """Without what a terminal or a database would take as an order."""
    return _CONTROL.sub("", text)
