"""Ids as Slack makes them: a letter for what it is, and letters and digits that nobody else has."""

import secrets
import string

_SIGNS = string.digits + string.ascii_uppercase


class Ids:
    def __init__(self) -> None:
        self._count = 0

    def next(self, kind: str) -> str:
        """`kind`: C, D, E, F, G, T, U, B, V, Ev …"""
        self._count += 1
        number, signs = self._count, ""
        while number:
            number, digit = divmod(number, len(_SIGNS))
            signs = _SIGNS[digit] + signs
        return f"{kind}0LOCAL{signs:0>4}"


def secret_text() -> str:
    return secrets.token_urlsafe(18).replace("_", "x").replace("-", "y")
