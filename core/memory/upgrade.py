"""The schema's revision: which one the database has, which ones this program knows, and the way between.

Alembic takes longer to import than a chat takes to open its database, so it is left alone while nothing is to do.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

import migrations
from core.errors import DatabaseTooNew, StorageError
from core.memory.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

#: Of an empty database.
BASE = "base"

_FOLDER = Path(migrations.__path__[0])


async def prepare(database: Database) -> None:
    """Brings the database to this program's schema. Raises DatabaseTooNew, or StorageError."""
    if _known(await current(database), database) != head():
        await upgrade(database)


async def upgrade(database: Database) -> None:
    """To the newest revision; of several programs that try at once, one does the work and the others wait."""
    from alembic import command

    await _migrate(database, lambda config: command.upgrade(config, "head"))


async def downgrade(database: Database, revision: str) -> None:
    """To an older revision, or to "base": what newer tables and columns hold is lost. Raises StorageError."""
    from alembic import command

    target = "" if revision == BASE else revision
    if target and target not in known_revisions():
        raise StorageError(f"There is no revision {revision}; there are {', '.join((BASE, *known_revisions()))}")
    if target > (await current(database) or ""):
        raise StorageError(f"The database is older than {revision}; banter db upgrade goes up")
    await _migrate(database, lambda config: command.downgrade(config, revision))


async def current(database: Database) -> str | None:
    """The database's revision; None for an empty one. Raises StorageError."""
    async with database.reading() as connection:
        try:
            rows = await connection.execute(text("SELECT version_num FROM alembic_version"))
        except DBAPIError as error:
            if _is_no_such_table(error):
                return None
            raise
        return rows.scalar()


def head() -> str:
    """The newest revision that this program knows."""
    return known_revisions()[-1]


def known_revisions() -> tuple[str, ...]:
    """Oldest first; each is the start of its file's name."""
    return tuple(sorted(file.name.partition("_")[0] for file in (_FOLDER / "versions").glob("[0-9]*_*.py")))


def is_of_tables(_item: object, name: str | None, *_of_it: object) -> bool:
    """Alembic's `include_object`: full-text search is the migration's own, and no part of the tables' metadata."""
    return not (name or "").startswith("turns_search")


def _known(revision: str | None, database: Database) -> str | None:
    if revision is None or revision in known_revisions():
        return revision
    raise DatabaseTooNew(
        f"The database {database.address.place} is of a newer Banter (its revision is {revision}, and this one "
        f"knows up to {head()}); install that version again, or set another database.url"
    )


async def _migrate(database: Database, change: Callable[["Config"], None]) -> None:
    async with database.migrating() as connection:
        await connection.run_sync(lambda locked: _run(locked, database, change))


def configured(connection: Connection) -> "Config":
    """Alembic's settings for work within a transaction that was begun."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _run(connection: Connection, database: Database, change: Callable[["Config"], None]) -> None:
    """The revision is read again: another program may have migrated while this one waited."""
    from alembic.runtime.migration import MigrationContext

    _known(MigrationContext.configure(connection).get_current_revision(), database)
    change(configured(connection))


def _is_no_such_table(error: DBAPIError) -> bool:
    return "no such table" in str(error.orig) or getattr(error.orig, "sqlstate", None) == "42P01"
