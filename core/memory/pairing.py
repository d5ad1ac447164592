"""Who is known: the codes that the operator gives away, and the people who have said one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, literal, select

from core.dialogue import Person, Platform
from core.memory.database import Database
from core.memory.tables import PairingCodeRow, PairingRow


@dataclass(frozen=True, slots=True)
class Pairing:
    """Somebody who has said a code."""

    platform: Platform
    workspace: str
    #: The platform's id.
    person: str
    paired_at: datetime


class Pairings:
    """All methods raise StorageError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_code(self, code_hash: str, made_at: datetime, expires_at: datetime) -> None:
        """What has expired goes with it."""
        async with self._database.writing() as connection:
            await connection.execute(delete(PairingCodeRow).where(PairingCodeRow.expires_at < made_at))
            row = {"code_hash": code_hash, "expires_at": expires_at}
            await connection.execute(self._database.insert(PairingCodeRow).values(row))

    async def redeem(self, code_hash: str, person: Person, moment: datetime) -> bool:
        """Whether the code pairs the person now, or did so before. It pairs nobody else, ever."""
        async with self._database.writing() as connection:
            valid = and_(PairingCodeRow.code_hash == code_hash, PairingCodeRow.expires_at > moment)
            used = await connection.execute(delete(PairingCodeRow).where(valid).returning(PairingCodeRow.code_hash))
            if used.first() is None:
                by_it = and_(_is_of(person), PairingRow.code_hash == code_hash)
                return (await connection.execute(select(literal(1)).where(by_it))).first() is not None
            new = self._database.insert(PairingRow)
            row = {**_names(person), "code_hash": code_hash, "paired_at": moment}
            said = {name: new.excluded[name] for name in ("code_hash", "paired_at")}
            await connection.execute(new.values(row).on_conflict_do_update(index_elements=_KEY, set_=said))
            return True

    async def is_paired(self, person: Person) -> bool:
        async with self._database.reading() as connection:
            return (await connection.execute(select(literal(1)).where(_is_of(person)))).first() is not None

    async def list_all(self, limit: int) -> tuple[Pairing, ...]:
        """The newest first."""
        newest = select(PairingRow.__table__).order_by(PairingRow.paired_at.desc()).limit(limit)
        async with self._database.reading() as connection:
            rows = await connection.execute(newest)
            return tuple(Pairing(Platform(row.platform), row.workspace, row.person, row.paired_at) for row in rows)

    async def open_codes(self, moment: datetime) -> int:
        """How many codes are waiting for somebody."""
        valid = select(func.count()).where(PairingCodeRow.expires_at > moment)
        async with self._database.reading() as connection:
            return await connection.scalar(valid) or 0

    async def revoke(self, person: Person) -> bool:
        """Whether they were paired; they need another code now."""
        async with self._database.writing() as connection:
            gone = await connection.execute(delete(PairingRow).where(_is_of(person)).returning(PairingRow.person))
            return gone.first() is not None


_KEY = ("platform", "workspace", "person")


def _names(person: Person) -> dict[str, str]:
    return dict(zip(_KEY, (person.platform.value, person.workspace, person.platform_id), strict=True))


def _is_of(person: Person) -> ColumnElement[bool]:
    return and_(*(PairingRow.__table__.c[name] == value for name, value in _names(person).items()))
