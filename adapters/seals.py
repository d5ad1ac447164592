"""What a button or a modal carries until a platform hands it back: small facts, signed.

Whoever speaks to a platform's servers could make them up, so they are signed, with what they are for and whom they were
made for. The secret is the database's, so they hold for as long as the database is there. Slack rewrites characters
beyond ASCII in views, so there are none.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

_SIGNATURE_BYTES = 18
_SEPARATOR = "."


@dataclass(frozen=True, slots=True)
class Purpose:
    """What is sealed for one use and one person is worth nothing anywhere else."""

    name: str
    workspace: str
    #: The person who sees it.
    person: str


class Seals:
    """Of one account."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sealed(self, purpose: Purpose, facts: Mapping[str, str]) -> str:
        """4 characters for 3 bytes, and 24 for the signature."""
        told = base64.urlsafe_b64encode(json.dumps(facts, ensure_ascii=False).encode(errors="replace")).decode()
        return f"{told}{_SEPARATOR}{self._signature(purpose, told)}"

    def opened(self, purpose: Purpose, sealed: str) -> Mapping[str, str] | None:
        """None where it was not sealed here, or for another use or person."""
        told, _, signature = sealed.rpartition(_SEPARATOR)
        if not hmac.compare_digest(self._signature(purpose, told).encode(), signature.encode(errors="replace")):
            return None
        return _facts(told)

    def _signature(self, purpose: Purpose, told: str) -> str:
        words = "\0".join((purpose.name, purpose.workspace, purpose.person, told)).encode(errors="replace")
        return base64.urlsafe_b64encode(hmac.digest(self._secret, words, sha256)[:_SIGNATURE_BYTES]).decode()


def _facts(told: str) -> Mapping[str, str] | None:
    """An older program may have sealed something else."""
    try:
        found = json.loads(base64.urlsafe_b64decode(told.encode()))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        return None
    return found
