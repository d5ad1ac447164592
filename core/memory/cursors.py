"""How far the events of an account were taken in, where it has many cursors; `core.memory.inbox` moves them."""

from collections.abc import Mapping

from sqlalchemy import select

from core.dialogue import Platform
from core.memory.database import Database
from core.memory.tables import CursorRow


class Cursors:
    """Those of one account."""

    def __init__(self, database: Database, platform: Platform, bot: str) -> None:
        self._database = database
        self._platform = platform
        self._bot = bot

    async def known(self) -> Mapping[str, int]:
        """By their names. Raises StorageError."""
        told = select(CursorRow.name, CursorRow.value).where(
            CursorRow.platform == self._platform.value, CursorRow.bot == self._bot
        )
        async with self._database.reading() as connection:
            return {row.name: row.value for row in await connection.execute(told)}
