"""Lists as one parameter: what they find, and that an index finds it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Select, insert, select

from core.memory.database import Database
from core.memory.lists import are_among, is_among
from core.memory.outbox_writes import _with_joined
from core.memory.tables import InboxRow, LeaseRow, PersonRow, TurnRow

ODD = ['"quoted"', "it's", "back\\slash", "ü 🙂", "", "a,b", "{a}", "NULL", "%s :x ?"]


async def keep_leases(database: Database, places: list[str]) -> None:
    now = datetime.now(UTC)
    rows = [{"place": place, "owner": "", "epoch": 1, "expires_at": now, "paused": ""} for place in places]
    async with database.writing() as connection:
        await connection.execute(insert(LeaseRow), rows)


async def test_whatever_a_text_holds_it_is_found_and_nothing_else_is(database: Database) -> None:
    await keep_leases(database, ODD)
    places = select(LeaseRow.place).where(is_among(LeaseRow.place, "places"))

    async def found(*wanted: str) -> set[str]:
        async with database.reading() as connection:
            return set(await connection.scalars(places, {"places": wanted}))

    assert await found(*ODD) == set(ODD)
    assert await found("ü 🙂", "nowhere", "ü 🙂") == {"ü 🙂"}
    assert await found() == set()


async def test_rows_are_found_by_all_of_their_texts(database: Database) -> None:
    people = [("discord", "w", odd) for odd in ODD] + [("slack", "w", "x"), ("discord", "v", "x")]
    rows = [dict(zip(("platform", "workspace", "platform_id"), one, strict=True)) | {"name": "Anna"} for one in people]
    async with database.writing() as connection:
        await connection.execute(insert(PersonRow), rows)
    key = (PersonRow.platform, PersonRow.workspace, PersonRow.platform_id)
    found = select(*key).where(are_among(key, "people"))

    async with database.reading() as connection:
        asked = [*people[:-1], ("slack", "v", "x")]
        assert {tuple(row) for row in await connection.execute(found, {"people": asked})} == set(people[:-1])
        assert (await connection.execute(found, {"people": []})).all() == []


PERSON = (PersonRow.platform, PersonRow.workspace, PersonRow.platform_id)
LOOKED_UP: dict[str, Select[int] | Select[str]] = {
    "a number": select(TurnRow.id).where(is_among(TurnRow.id, "x")),
    "a number beside a condition": select(TurnRow.id).where(is_among(TurnRow.id, "x"), TurnRow.role == "person"),
    "a text": select(LeaseRow.place).where(is_among(LeaseRow.place, "x"), LeaseRow.owner == ""),
    "a row": select(PersonRow.id).where(are_among(PERSON, "x")),
    "either of two": select(InboxRow.id).where(InboxRow.id.in_(_with_joined("x"))),
}


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("what", LOOKED_UP)
async def test_sqlite_reads_no_whole_table(database: Database, what: str) -> None:
    async with database.reading() as connection:
        statement = str(LOOKED_UP[what].compile(dialect=connection.dialect))
        asked = tuple("[]" for _ in range(statement.count("?")))
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", asked)
        scanned = [row.detail for row in plan if row.detail.startswith("SCAN") and "json_each" not in row.detail]

    assert scanned == []
