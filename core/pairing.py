"""Codes with which people whom nobody knows yet get to speak to the program.

A code has 80 random bits, so that its hash needs no key: nobody can try all of them.
"""

import hashlib
import re
import secrets

#: Crockford's alphabet: no letter that looks like a digit (https://www.crockford.com/base32.html).
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS, _GROUP_LENGTH = 4, 4
_SAID_AS = str.maketrans("OIL", "011")
_LOOKS_LIKE_ONE = re.compile(r"[0-9A-Z]{4}(?:[ -]?[0-9A-Z]{4}){3}")


def new_code() -> str:
    """Four groups of four characters."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))


def code_in(text: str) -> str | None:
    """The code that a message consists of, however it was typed; None where it is something else."""
    typed = text.strip().upper()
    if not _LOOKS_LIKE_ONE.fullmatch(typed):
        return None
    return typed.replace("-", "").replace(" ", "").translate(_SAID_AS)


def hash_of(code: str) -> str:
    """What is stored of a code."""
    return hashlib.sha256((code_in(code) or code).encode("utf-8", "surrogatepass")).hexdigest()
