"""Secrets that must be kept for a while: interaction tokens, OAuth tokens. They are always sealed."""

from datetime import UTC, datetime, timedelta
from secrets import token_hex

from sqlalchemy import ColumnElement, delete, or_, select

from core.errors import SettingsError, StorageError
from core.memory.database import Database
from core.memory.sealing import Sealing
from core.memory.tables import SecretRow

_EVENT_SECRET = "event keys"  # noqa: S105 - its name


class Secrets:
    """By their names. All methods raise StorageError."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        self._database = database
        self._sealing = sealing

    async def put(self, name: str, secret: str, lives_s: float | None = None) -> None:
        """In the place of what was kept under this name; None lives until it is deleted."""
        row = self._row(name, secret, lives_s)
        new = self._database.insert(SecretRow).values(row)
        values = {column: new.excluded[column] for column in ("sealed", "expires_at")}
        async with self._database.writing() as connection:
            await connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=values))

    async def put_first(self, name: str, secret: str) -> str:
        """The secret that is kept under this name: this one, unless there was one."""
        new = self._database.insert(SecretRow).values(self._row(name, secret, None))
        async with self._database.writing() as connection:
            await connection.execute(new.on_conflict_do_nothing(index_elements=["name"]))
        return await self.get(name) or secret

    async def get(self, name: str) -> str | None:
        """None where there is none, or its time is over."""
        kept = select(SecretRow.sealed).where(SecretRow.name == name, _is_alive())
        async with self._database.reading() as connection:
            sealed = (await connection.execute(kept)).scalar_one_or_none()
        return None if sealed is None else self._sealing.open_secret(name, sealed)

    async def delete(self, name: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(SecretRow).where(SecretRow.name == name))

    async def purge(self) -> int:
        """Deletes those whose time is over; how many they were."""
        async with self._database.writing() as connection:
            return (await connection.execute(delete(SecretRow).where(~_is_alive()))).rowcount

    def _row(self, name: str, secret: str, lives_s: float | None) -> dict[str, object]:
        expires_at = None if lives_s is None else datetime.now(UTC) + timedelta(seconds=lives_s)
        return {"name": name, "sealed": self._sealing.seal_secret(name, secret), "expires_at": expires_at}


async def event_secret(secrets: Secrets) -> bytes:
    """What the keys of the database's events are hashed with: made once, the same for ever.

    Raises SettingsError where the database was begun with another key: a copy of an event would not be known as one.
    """
    try:
        return bytes.fromhex(await secrets.get(_EVENT_SECRET) or await secrets.put_first(_EVENT_SECRET, token_hex(32)))
    except StorageError as error:
        if type(error) is not StorageError:
            raise
        raise SettingsError(
            "the database was begun with another key, and what was answered once would be answered again; restore the "
            "key file (privacy.key_file) or BANTER_PRIVACY__KEY, or begin with another database.url"
        ) from error


def _is_alive() -> ColumnElement[bool]:
    return or_(SecretRow.expires_at.is_(None), SecretRow.expires_at > datetime.now(UTC))
