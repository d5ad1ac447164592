"""What is left of a text when the bot's name is cut out of it: "@banter what is rain?" says "what is rain?"."""

import re

#: Between the bot's name and what is said to it.
AFTER_NAME = " \t,:;"
_CLOSING = re.compile(r"[,.;:!?…)]")


def joined(left: str, right: str) -> str:
    """What stood on both sides of the name."""
    if not left.strip():
        return right.lstrip(AFTER_NAME)
    if not right.strip():
        return left.rstrip(AFTER_NAME)
    if _CLOSING.match(right):
        return left.rstrip(" \t,") + right
    gap = "" if left.endswith("\n") or right.startswith("\n") else " "
    return left.rstrip(" \t") + gap + right.lstrip(" \t")
