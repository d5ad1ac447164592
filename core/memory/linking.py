"""One human's identities on several platforms, joined by a code that is said once.

All rows of one human share `linked_to_id`: the lowest id among them. A code has 60 bits, lives for minutes and is kept
as a hash; who says wrong ones is not listened to for a while. Who calls these steps has begun the transaction.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Person, Platform
from core.memory.database import Database
from core.memory.tables import LinkCodeRow, LinkTryRow, PersonRow

CODE_LIFETIME = timedelta(minutes=10)
#: So many wrong codes within the window are listened to; the next one is heard when the window is over.
TRIES = 5
TRY_WINDOW = timedelta(hours=1)

#: Crockford's: no letter looks like a digit.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LIKE_DIGITS = str.maketrans("OIL", "011")
_CODE_CHARS = 12
_GROUP_CHARS = 4


class LinkRefusal(Enum):
    """Why nobody was joined."""

    UNKNOWN = "unknown"
    OWN_CODE = "own code"
    TOO_MANY_TRIES = "too many tries"


@dataclass(frozen=True, slots=True)
class Said:
    """A code, as somebody says it at some time."""

    person_id: int
    code: str
    at: datetime


async def new_code(database: Database, connection: AsyncConnection, person_id: int, now: datetime) -> str:
    """The person's only code from now on. Codes that nobody used in time are swept out."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_CHARS))
    await connection.execute(delete(LinkCodeRow).where(LinkCodeRow.expires_at <= now))
    new = database.insert(LinkCodeRow)
    values = {"code_hash": _hash(code), "expires_at": now + CODE_LIFETIME}
    replaced = new.on_conflict_do_update(index_elements=["person_id"], set_=values)
    await connection.execute(replaced, {"person_id": person_id, **values})
    return "-".join(code[start : start + _GROUP_CHARS] for start in range(0, _CODE_CHARS, _GROUP_CHARS))


async def redeem(database: Database, connection: AsyncConnection, said: Said) -> Person | LinkRefusal:
    """Joins who says a code with whom it was given to, and returns that one."""
    code = _read(said.code)
    if len(code) != _CODE_CHARS:
        return LinkRefusal.UNKNOWN
    if await _failures(connection, said) >= TRIES:
        return LinkRefusal.TOO_MANY_TRIES
    is_it = (LinkCodeRow.code_hash == _hash(code), LinkCodeRow.expires_at > said.at)
    taken = delete(LinkCodeRow).where(*is_it, LinkCodeRow.person_id != said.person_id)
    giver: int | None = await connection.scalar(taken.returning(LinkCodeRow.person_id))
    if giver is None:
        if await connection.scalar(select(LinkCodeRow.person_id).where(*is_it)) is not None:
            return LinkRefusal.OWN_CODE
        await _count_failure(database, connection, said)
        return LinkRefusal.UNKNOWN
    await connection.execute(delete(LinkTryRow).where(LinkTryRow.person_id == said.person_id))
    await _join(connection, giver, said.person_id)
    return await _person(connection, giver)


async def unlink(connection: AsyncConnection, person_id: int) -> bool:
    """Takes one identity out of its human's; whether there were others."""
    ids = await linked_ids(connection, person_id)
    await forget_links(connection, [person_id])
    await _share(connection, [one for one in ids if one != person_id])
    return len(ids) > 1


async def linked_ids(connection: AsyncConnection, person_id: int) -> tuple[int, ...]:
    """The rows of the human whom a row belongs to, itself among them."""
    root = select(PersonRow.linked_to_id).where(PersonRow.id == person_id).scalar_subquery()
    linked = select(PersonRow.id).where(or_(PersonRow.id == person_id, PersonRow.linked_to_id == root))
    return tuple((await connection.scalars(linked.order_by(PersonRow.id))).all())


async def linked_people(connection: AsyncConnection, person_id: int) -> tuple[Person, ...]:
    """The same, as the platforms know them."""
    ids = await linked_ids(connection, person_id)
    rows = await connection.execute(_PERSON.where(PersonRow.id.in_(ids)).order_by(PersonRow.id))
    return tuple(Person(Platform(row.platform), row.workspace, row.platform_id, row.name) for row in rows)


async def forget_links(connection: AsyncConnection, person_ids: Collection[int]) -> None:
    """Their codes and tries, and that they belong to somebody."""
    for table in (LinkCodeRow, LinkTryRow):
        await connection.execute(delete(table).where(table.person_id.in_(person_ids)))
    await connection.execute(update(PersonRow).where(PersonRow.id.in_(person_ids)).values(linked_to_id=None))


_PERSON = select(PersonRow.platform, PersonRow.workspace, PersonRow.platform_id, PersonRow.name)


async def _person(connection: AsyncConnection, person_id: int) -> Person:
    row = (await connection.execute(_PERSON.where(PersonRow.id == person_id))).one()
    return Person(Platform(row.platform), row.workspace, row.platform_id, row.name)


async def _join(connection: AsyncConnection, one: int, other: int) -> None:
    ids = {*await linked_ids(connection, one), *await linked_ids(connection, other)}
    locking = select(PersonRow.id).where(PersonRow.id.in_(ids)).order_by(PersonRow.id)
    await connection.execute(locking.with_for_update(key_share=True))
    await _share(connection, ids)


async def _share(connection: AsyncConnection, ids: Collection[int]) -> None:
    """They are one human's; a single one is linked to nobody."""
    if ids:
        root = min(ids) if len(ids) > 1 else None
        await connection.execute(update(PersonRow).where(PersonRow.id.in_(ids)).values(linked_to_id=root))


async def _failures(connection: AsyncConnection, said: Said) -> int:
    recent = select(LinkTryRow.failures).where(
        LinkTryRow.person_id == said.person_id, LinkTryRow.since > said.at - TRY_WINDOW
    )
    return (await connection.scalar(recent)) or 0


async def _count_failure(database: Database, connection: AsyncConnection, said: Said) -> None:
    earlier = await _failures(connection, said)
    new = database.insert(LinkTryRow)
    counted = {"failures": LinkTryRow.failures + 1} if earlier else {"failures": 1, "since": said.at}
    row = {"person_id": said.person_id, "failures": 1, "since": said.at}
    await connection.execute(new.on_conflict_do_update(index_elements=["person_id"], set_=counted), row)


def _read(said: str) -> str:
    """A code as somebody typed it: small letters, spaces and hyphens don't count."""
    letters = said.upper().translate(_LIKE_DIGITS)
    return "".join(letter for letter in letters if letter in _ALPHABET)


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
