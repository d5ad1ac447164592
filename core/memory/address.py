"""Where the database is: `database.url` as people write it, and as SQLAlchemy wants it."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from core.errors import SettingsError

_EXAMPLES = "sqlite:///path/to/banter.db or postgresql://user:password@host/name"
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True, slots=True)
class Address:
    #: With the password: never shown.
    url: URL
    #: For people: the file, or the server and the database's name.
    place: str
    #: The SQLite file; None for PostgreSQL.
    file: Path | None


def parse_address(text: str) -> Address:
    """Raises SettingsError for anything but a SQLite file or a PostgreSQL database."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise SettingsError(f"database.url: this is not an address; write {_EXAMPLES}") from None
    match url.drivername:
        case "sqlite" | "sqlite+aiosqlite":
            return _sqlite(url)
        case "postgresql" | "postgres" | "postgresql+asyncpg":
            return _postgresql(url)
    raise SettingsError(f"database.url: {url.drivername} is not supported; write {_EXAMPLES}")


def _sqlite(url: URL) -> Address:
    if url.host or url.query or not url.database or url.database.startswith((":memory:", "file:")):
        raise SettingsError("database.url: SQLite takes a file after three slashes, as in sqlite:///path/to/banter.db")
    return Address(url.set(drivername="sqlite+aiosqlite"), place=url.database, file=Path(url.database))


def _postgresql(url: URL) -> Address:
    query = dict(url.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    if unknown := sorted(query.keys() - {"host", "port", "ssl"}):
        raise SettingsError(f"database.url: ?{unknown[0]} is unknown; host, port and sslmode can follow the ?")
    if query.get("ssl", "prefer") not in _SSL_MODES:
        raise SettingsError(f"database.url: sslmode={query['ssl']} is unknown; write one of {', '.join(_SSL_MODES)}")
    host = url.host or query.get("host", "localhost")
    port = f":{url.port}" if url.port else ""
    place = f"{host}{port}/{url.database or url.username or ''}"
    return Address(url.set(drivername="postgresql+asyncpg", query=query), place=place, file=None)
