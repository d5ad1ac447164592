"""The keys that seal what must not be read: from the environment, or from a file that is made at the first start.

Newest first: the first one seals, and each of them opens. Whoever has them can read everything, and without them nobody
can, so they are worth a copy in a safe place.
"""

import base64
import binascii
import os
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import SettingsError

_KEY_BYTES = 32
_VARIABLE = "BANTER_PRIVACY__KEY"
_HEADER = (
    "# The keys of Banter, the newest first. Keep a copy in a safe place: without them nobody can read what is\n"
    "# sealed, and with them everybody can.\n"
)


@dataclass(frozen=True, slots=True)
class SecretKeys:
    #: Never shown: 32 bytes each, as URL-safe base64.
    newest_first: tuple[bytes, ...] = field(repr=False)


def load_keys(text: str, file: Path) -> SecretKeys:
    """Those that `text` names (the environment's), or else those of the file, which is made where there is none.

    Raises SettingsError for a file that others can read, and for what is no key.
    """
    if text.strip():
        return _parse(text.replace(",", "\n").splitlines(), f"privacy.key ({_VARIABLE})")
    try:
        if not file.exists():
            _create(file)
        return _read(file)
    except OSError as error:
        raise SettingsError(_unusable(file, error)) from None


def add_key(file: Path) -> SecretKeys:
    """A new key that seals from now on; those that the file had still open. Raises SettingsError."""
    keys = load_keys("", file)
    more = SecretKeys((_new_key(), *keys.newest_first))
    try:
        written = _write_beside(file, more)
        written.replace(file)
        _sync(file.parent)
    except OSError as error:
        raise SettingsError(_unusable(file, error)) from None
    return more


def _create(file: Path) -> None:
    """Of programs that start together, one makes the file. It appears whole or not at all."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = _write_beside(file, SecretKeys((_new_key(),)))
    try:
        os.link(written, file)
        _sync(file.parent)
    except FileExistsError:
        pass  # another program was faster
    finally:
        written.unlink()


def _write_beside(file: Path, keys: SecretKeys) -> Path:
    """A new file in the same folder, 0600 from its first moment, safe from a power cut."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "wb") as written:
        written.write(_HEADER.encode() + b"".join(key + b"\n" for key in keys.newest_first))
        written.flush()
        os.fsync(written.fileno())
    return Path(name)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(file: Path) -> SecretKeys:
    with file.open("rb") as opened:
        mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
        if mode & 0o077:
            raise SettingsError(f"{file}: others can read the keys (its mode is {mode:o}); chmod 600 {file}")
        lines = opened.read().decode("ascii", "replace").splitlines()
    return _parse((line for line in lines if not line.startswith("#")), str(file))


def _parse(lines: Iterable[str], where: str) -> SecretKeys:
    keys = tuple(line.strip().encode() for line in lines if line.strip())
    if not keys or not all(map(_is_key, keys)):
        raise SettingsError(
            f"{where}: this is no key; restore it from a copy, or make one for a new database: "
            'python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
        )
    return SecretKeys(keys)


def _is_key(text: bytes) -> bool:
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _new_key() -> bytes:
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES))


def _unusable(file: Path, error: OSError) -> str:
    return f"{file}: {error.strerror}; let this user read and write it, set privacy.key_file, or set {_VARIABLE}"
