"""Encryption at rest: columns whose values are sealed on their way into the database and opened on their way out.

A column's type finds the keys on the engine's dialect, where `Database` has put them. What was stored before texts were
sealed is read as it is; what is sealed is opened also after that was switched off. A mark tells them apart.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy import Dialect, LargeBinary, Text, TypeDecorator
from sqlalchemy.ext.asyncio import AsyncEngine

from core.errors import StorageError
from core.secret_key import SecretKeys

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

#: No text of a person begins with it: control characters are cut from those.
_MARK = "\x01"
#: Before bytes. Token ids take four each, and a sealed value is one longer than that.
_BYTE_MARK = _MARK.encode()
_WRONG_KEY = (
    "it is sealed with a key that this program does not have; restore the file of privacy.key_file, or set privacy.key"
)
_ON_DIALECT = "banter_sealing"


class Sealing:
    """Seals with the newest key, opens with each (Fernet: AES-128-CBC and HMAC-SHA-256)."""

    def __init__(self, load: Callable[[], SecretKeys], *, texts: bool) -> None:
        """The keys are loaded when they are first needed. `texts`: whether people's texts are sealed, and not only
        secrets.
        """
        self._load = load
        self.texts = texts
        self._fernet: MultiFernet | None = None

    def seal(self, value: bytes) -> bytes:
        return self._ciphers().encrypt(value)

    def open(self, sealed: bytes) -> bytes:
        """Raises StorageError where none of the keys has sealed it."""
        from cryptography.fernet import InvalidToken

        try:
            return self._ciphers().decrypt(sealed)
        except InvalidToken:
            raise StorageError(_WRONG_KEY) from None

    def seal_secret(self, name: str, secret: str) -> bytes:
        """Sealed together with its name, so that one can't be put in another's place."""
        return self.seal(json.dumps([name, secret]).encode())

    def open_secret(self, name: str, sealed: bytes) -> str:
        """Raises StorageError where none of the keys has sealed it, or under another name."""
        sealed_name, secret = json.loads(self.open(sealed))
        if sealed_name != name:
            raise StorageError("a secret was stored under another's name; delete it from the table secrets")
        return str(secret)

    def _ciphers(self) -> "MultiFernet":
        """The library takes longer to load than many a command to start."""
        if self._fernet is None:
            from cryptography.fernet import Fernet, MultiFernet

            self._fernet = MultiFernet([Fernet(key) for key in self._load().newest_first])
        return self._fernet


def put_keys(engine: AsyncEngine, sealing: Sealing | None) -> None:
    """From now on the engine's sealed columns use them; None: nothing can be sealed or opened."""
    setattr(engine.sync_engine.dialect, _ON_DIALECT, sealing)


class SealedText(TypeDecorator[str]):
    """What people said. In the clear, nothing can begin as if it were sealed."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        sealing = _sealing(dialect)
        if not value:
            return value
        if sealing is None or not sealing.texts:
            return value.lstrip(_MARK)
        return _MARK + sealing.seal(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or not value.startswith(_MARK):
            return value
        return _open(value[1:].encode(), dialect).decode()


class SealedBytes(TypeDecorator[bytes]):
    """Its token ids."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        sealing = _sealing(dialect)
        if value is None or sealing is None or not sealing.texts:
            return value
        return _BYTE_MARK + sealing.seal(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        if value is None or len(value) % 4 != 1 or not value.startswith(_BYTE_MARK):
            return value
        return _open(value[1:], dialect)


def _sealing(dialect: Dialect) -> Sealing | None:
    found: Sealing | None = getattr(dialect, _ON_DIALECT, None)
    return found


def _open(sealed: bytes, dialect: Dialect) -> bytes:
    sealing = _sealing(dialect)
    if sealing is None:
        raise StorageError(_WRONG_KEY)
    return sealing.open(sealed)
