"""What the buttons of a reply send back when somebody presses them, and whether that was made here.

Anybody who speaks to a platform's servers could make it up, so it is signed, with the channel that it was made for. The
secret is the database's, so a button works for as long as the database is there.
"""

import base64
import hmac
from collections.abc import Mapping
from hashlib import sha256

from core.dialogue import Opinion

_SIGNATURE_BYTES = 12
_SEPARATOR = "."
#: They stand in buttons that are out in the world: none is ever given another meaning.
_CODES: Mapping[Opinion, str] = {
    Opinion.GOOD: "g",
    Opinion.BAD: "b",
    Opinion.REGENERATE: "r",
    Opinion.STOP: "s",
    Opinion.CONTINUE: "c",
}
_OPINIONS = {code: opinion for opinion, code in _CODES.items()}


class OpinionValues:
    """Of one account."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def value(self, opinion: Opinion, token: str, channel: str) -> str:
        """19 characters and the reply's token."""
        code = _CODES[opinion]
        return _SEPARATOR.join((code, token, self._signature(code, token, channel)))

    def opinion(self, value: str, channel: str) -> Opinion | None:
        """What a press says; None where the button was not made here, or for another channel."""
        code, _, rest = value.partition(_SEPARATOR)
        token, _, signature = rest.rpartition(_SEPARATOR)
        is_ours = hmac.compare_digest(
            self._signature(code, token, channel).encode(), signature.encode(errors="replace")
        )
        return _OPINIONS.get(code) if is_ours else None

    def _signature(self, code: str, token: str, channel: str) -> str:
        told = "\0".join((code, token, channel)).encode(errors="replace")
        digest = hmac.digest(self._secret, told, sha256)[:_SIGNATURE_BYTES]
        return base64.urlsafe_b64encode(digest).decode()
