"""What a database refused, in one line that says what to do.

This is the only place where the errors of SQLAlchemy, SQLite, asyncpg and the operating system become ours.
SQLite names a failure by a result code (https://sqlite.org/rescode.html), of which the low byte is the kind;
PostgreSQL by five characters, of which the first two are the class
(https://www.postgresql.org/docs/current/errcodes-appendix.html).
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import DatabaseAway, StorageError
from core.memory.address import Address

_SQLITE = {
    sqlite3.SQLITE_BUSY: "{file} is locked by another program; close that one and try again",
    sqlite3.SQLITE_LOCKED: "{file} is locked by another program; close that one and try again",
    sqlite3.SQLITE_FULL: "The disk of {file} is full; free some space and try again",
    sqlite3.SQLITE_READONLY: "{file} can't be written; give this user the right to write the file and its folder, "
    "or set another database.url",
    sqlite3.SQLITE_CANTOPEN: "{file} can't be opened; give this user the right to write the file and its folder, "
    "or set another database.url",
    sqlite3.SQLITE_NOTADB: "{file} is not a SQLite database; move it away or set another database.url",
    sqlite3.SQLITE_CORRUPT: "{file} is damaged; restore a copy, or save what is left: sqlite3 {file} .recover",
    sqlite3.SQLITE_IOERR: "The disk of {file} can't be read or written; look at the disk and at its free space",
    sqlite3.SQLITE_TOOBIG: "A text is longer than {file} can hold; send a shorter one",
}
_SQLITE[sqlite3.SQLITE_PERM] = _SQLITE[sqlite3.SQLITE_AUTH] = _SQLITE[sqlite3.SQLITE_READONLY]

_FILES = {
    errno.ENOSPC: _SQLITE[sqlite3.SQLITE_FULL],
    errno.EDQUOT: _SQLITE[sqlite3.SQLITE_FULL],
    errno.EIO: _SQLITE[sqlite3.SQLITE_IOERR],
}

#: The longest prefix that fits is taken.
_POSTGRESQL = {
    "08": "The connection to PostgreSQL at {place} was lost; look at the server and try again",
    "22021": "The text holds characters that PostgreSQL can't store",
    "25006": "PostgreSQL at {place} takes no writing now (read-only); connect to the primary server",
    "28": "PostgreSQL at {place} refuses the user or the password; correct database.url",
    "3D000": "PostgreSQL at {place} has no such database; create it (createdb) or correct database.url",
    "40": "PostgreSQL at {place} gave up the transaction because of another one; try again",
    "42501": "PostgreSQL at {place} does not allow this user to do that; grant the rights to it",
    "53": "PostgreSQL at {place} is out of resources ({reason}); look at the server",
    "53100": "The disk of PostgreSQL at {place} is full; free some space there and try again",
    "53300": "PostgreSQL at {place} has too many connections; close some or raise its max_connections",
    "55P03": "PostgreSQL at {place} is locked by another program; try again when that one is ready",
    "57": "PostgreSQL at {place} is stopping or starting; try again in a moment",
    "57014": "PostgreSQL at {place} ended the statement since it took too long; try again or look at the server",
}
_PASSING_SQLITE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_PASSING_POSTGRESQL = ("08", "25", "40", "53", "57")
_UNREACHABLE = "PostgreSQL at {place} can't be reached ({reason}); start the server or correct database.url"
_LATE = "The database at {place} did not answer in time; look at the server and try again"
_UNSTORABLE = "A value can't be stored in the database at {place}: {reason}"
_UNKNOWN = "The database at {place} refused: {reason}"


@contextmanager
def explained(address: Address) -> Iterator[None]:
    """What a driver raises inside leaves as StorageError."""
    try:
        yield
    except _foreign_errors(address) as error:
        kind = DatabaseAway if _may_pass(_root(error)) else StorageError
        raise kind(_sentence(error, address)) from error


def _may_pass(cause: BaseException) -> bool:
    """Whether the same statement may succeed later: the server comes back, a lock is let go, a disk has room again."""
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _PASSING_SQLITE
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str):
        return state[:2] in _PASSING_POSTGRESQL or state == "55P03"
    return isinstance(cause, (OSError, TimeoutError, PoolTimeout)) or "closed" in str(cause)


def _foreign_errors(address: Address) -> tuple[type[Exception], ...]:
    """A value that is out of a column's range, or half a character, is met by the driver and raised as it is."""
    everywhere = (SQLAlchemyError, OSError, OverflowError, UnicodeEncodeError)
    if address.file is not None:
        return (*everywhere, sqlite3.Error)
    import asyncpg

    return (*everywhere, asyncpg.PostgresError, asyncpg.InterfaceError)


def _sentence(error: Exception, address: Address) -> str:
    cause = _root(error)
    return _template(cause, address.file).format(file=address.file, place=address.place, reason=_reason(cause))


def _root(error: BaseException) -> BaseException:
    """The driver's own error inside SQLAlchemy's."""
    inner: BaseException | None = error
    while inner is not None and type(inner).__module__.startswith("sqlalchemy.") and not isinstance(inner, PoolTimeout):
        error = inner
        inner = error.orig if isinstance(error, DBAPIError) else error.__cause__
    return inner or error


def _template(cause: BaseException, file: Path | None) -> str:
    if isinstance(cause, (OverflowError, UnicodeEncodeError)):
        return _UNSTORABLE
    if isinstance(cause, (TimeoutError, PoolTimeout)):
        return _LATE
    if file is not None:
        return _sqlite_template(cause)
    if isinstance(cause, OSError):
        return _UNREACHABLE
    return _postgresql_template(cause)


def _sqlite_template(cause: BaseException) -> str:
    if isinstance(cause, OSError):
        return _FILES.get(cause.errno or 0, _SQLITE[sqlite3.SQLITE_READONLY])
    if isinstance(cause, sqlite3.Error):
        return _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF, _UNKNOWN)
    return _UNKNOWN


def _postgresql_template(cause: BaseException) -> str:
    state = getattr(cause, "sqlstate", None)
    if not isinstance(state, str):
        return _POSTGRESQL["08"] if "closed" in str(cause) else _UNKNOWN
    return next((_POSTGRESQL[state[:size]] for size in (5, 2) if state[:size] in _POSTGRESQL), _UNKNOWN)


def _reason(cause: BaseException) -> str:
    if isinstance(cause, UnicodeEncodeError):
        return cause.reason
    text = (cause.strerror if isinstance(cause, OSError) else None) or str(cause)
    return text.splitlines()[0] if text else type(cause).__name__
