"""`database.url`, as people write it."""

import pytest

from core.errors import SettingsError
from core.memory.address import parse_address


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "database.url: this is not an address; write sqlite:///path/to/banter.db or postgresql://"),
        ("banter.db", "this is not an address"),
        ("postgresql://banter:secret@host:port/name", "this is not an address"),
        ("mysql://banter:secret@host/name", "mysql is not supported; write sqlite:///"),
        ("sqlite://", "SQLite takes a file after three slashes"),
        ("sqlite://:memory:", "this is not an address"),
        ("sqlite:///:memory:", "SQLite takes a file after three slashes"),
        ("sqlite://folder/banter.db", "SQLite takes a file after three slashes"),
        ("sqlite:///banter.db?mode=ro", "SQLite takes a file after three slashes"),
        ("postgresql://host/name?channel_binding=require", r"\?channel_binding is unknown; host, port and sslmode"),
        ("postgresql://banter:secret@host/name?sslmode=on", "sslmode=on is unknown; write one of disable"),
    ],
)
def test_an_address_that_is_none_stops_the_start(url: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as caught:
        parse_address(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("sqlite:///banter.db", "banter.db"),
        ("sqlite:////var/lib/banter.db", "/var/lib/banter.db"),
        ("sqlite+aiosqlite:///banter.db", "banter.db"),
        ("postgresql://banter:secret@host/name", "host/name"),
        ("postgres://banter:secret@host:5433/name?sslmode=require", "host:5433/name"),
        ("postgresql+asyncpg://banter@/name?host=/run/postgresql", "/run/postgresql/name"),
        ("postgresql://banter:secret@host", "host/banter"),
    ],
)
def test_an_address_is_written_in_every_usual_way(url: str, place: str) -> None:
    assert parse_address(url).place == place
