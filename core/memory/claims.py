"""Things of one account that its processes share out among themselves, each to one at a time.

Every process says now and then that it is there and takes its fair share of what is free; what it holds beyond that
it gives up, so a process that begins later gets its share as well. What a process held that is gone is free again: at
once where others can tell that it is gone, or else when its claims expire.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Platform
from core.memory.database import Database
from core.memory.tables import ClaimRow
from core.memory.waiting import now, times

#: Begins the name by which a process says that it is there; a thing's name does not.
_HERE = "here "


class Claims:
    """Those of one process, named by `core.process_name`. All methods raise StorageError."""

    def __init__(self, database: Database, account: tuple[Platform, str], owner: str, lasts_s: float) -> None:
        self._database = database
        self._platform, self._bot = account
        self._owner = owner
        self._lasts = timedelta(seconds=lasts_s)

    async def hold(self, names: Sequence[str], has_ended: Callable[[str], bool]) -> frozenset[str]:
        """This process's share of these things, renewed; names are taken in their order."""
        async with self._database.writing() as connection:
            moment = await self._clock(connection)
            await self._forget(connection, moment, has_ended)
            await self._claim(connection, [f"{_HERE}{self._owner}"], moment)
            held = [name for name in await self._held(connection) if name in names]
            share = -(-len(names) // await self._processes(connection))
            if beyond := held[share:]:
                await connection.execute(delete(ClaimRow).where(self._is_mine(), ClaimRow.name.in_(beyond)))
            kept = held[:share]
            others = set(await connection.scalars(select(ClaimRow.name).where(self._is_of_account())))
            free = [name for name in names if name not in others][: share - len(kept)]
            return frozenset(await self._claim(connection, [*kept, *free], moment))

    async def give_up(self) -> None:
        """All of it, and the process's place among the others."""
        async with self._database.writing() as connection:
            await connection.execute(delete(ClaimRow).where(self._is_mine()))

    async def _clock(self, connection: AsyncConnection) -> datetime:
        """The database's, where it has one, so that processes on several machines agree."""
        told = times(self._database) if not self._database.knows_notify else {}
        moment: datetime = (await connection.execute(select(now(self._database.knows_notify)), told)).scalar_one()
        return moment

    async def _forget(self, connection: AsyncConnection, moment: datetime, has_ended: Callable[[str], bool]) -> None:
        owners = await connection.scalars(select(ClaimRow.owner).where(self._is_of_account()).distinct())
        gone = [owner for owner in owners if owner != self._owner and has_ended(owner)]
        over = or_(ClaimRow.expires_at <= moment, ClaimRow.owner.in_(gone))
        await connection.execute(delete(ClaimRow).where(self._is_of_account(), over))

    async def _held(self, connection: AsyncConnection) -> Sequence[str]:
        is_thing = ~ClaimRow.name.startswith(_HERE, autoescape=True)
        held = select(ClaimRow.name).where(self._is_mine(), is_thing).order_by(ClaimRow.name)
        return (await connection.scalars(held)).all()

    async def _processes(self, connection: AsyncConnection) -> int:
        """At least this one."""
        here = ClaimRow.name.startswith(_HERE, autoescape=True)
        counted = select(func.count()).select_from(ClaimRow).where(self._is_of_account(), here)
        return (await connection.execute(counted)).scalar_one()

    async def _claim(self, connection: AsyncConnection, names: Sequence[str], moment: datetime) -> Sequence[str]:
        """Of what another process claims in the same moment, one of the two gets it."""
        new = self._database.insert(ClaimRow)
        taken = new.on_conflict_do_update(
            index_elements=["platform", "bot", "name"],
            set_={column: new.excluded[column] for column in ("owner", "expires_at")},
            where=ClaimRow.owner == new.excluded.owner,
        ).returning(ClaimRow.name)
        whole = {"platform": self._platform.value, "bot": self._bot, "owner": self._owner}
        rows = [{**whole, "name": name, "expires_at": moment + self._lasts} for name in sorted(names)]
        return (await connection.scalars(taken, rows)).all() if rows else ()

    def _is_of_account(self) -> ColumnElement[bool]:
        return and_(ClaimRow.platform == self._platform.value, ClaimRow.bot == self._bot)

    def _is_mine(self) -> ColumnElement[bool]:
        return and_(self._is_of_account(), ClaimRow.owner == self._owner)
