"""A database that remembers all that can be remembered of people, and what of it lies on the disk."""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import InboundMessage, Person, Platform, SessionKey, Turn
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.inbox import Entry, Inbox
from core.memory.sessions import Session
from core.memory.store import Memory
from core.memory.tables import (
    CandidateRow,
    DeliveryRow,
    FeedbackRow,
    InboxRow,
    PartRow,
    PersonRow,
    SessionRow,
)
from core.memory.turns import pack_ids
from tests.contract.speaking import KEY, message, open_session, reply

#: What a test forgets begins with it and is like nothing else on the disk.
_MARK = "zq"


def unique() -> str:
    """A word that no index shortens to nothing: the end alone is as unique."""
    return f"{_MARK}{secrets.token_hex(12)}"


@dataclass(frozen=True, slots=True)
class Exchange:
    question: Turn
    reply: Turn
    inbox_id: int
    #: What was drawn.
    token_ids: tuple[int, ...]


class Scene:
    """Everything that is written on the walk of a message, and nothing is left out."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.memory = Memory(database)
        self.writes = GroupedWrites(database)
        self.inbox = Inbox(database, self.writes, b"secret")

    async def accept(self, inbound: InboundMessage, quoting: str = "") -> int:
        """How many were new."""
        raw = {
            "user": inbound.person.platform_id,
            "name": inbound.person.name,
            "text": inbound.text,
            "quoting": quoting,
        }
        entry = Entry(inbound.session_key.platform, inbound.session_key.bot, inbound, json.dumps(raw))
        return await self.inbox.accept([entry])

    async def letter(self, raw: str, platform: Platform = KEY.platform) -> None:
        """That nobody understood."""
        await self.inbox.accept([Entry(platform, KEY.bot, None, raw, reason=f"not understood: {raw}")])

    async def exchange(self, person: Person, said: str, answer: str, key: SessionKey = KEY) -> Exchange:
        """A message, answered and delivered, with its candidates and the person's own opinion of the reply."""
        inbound = message(said, key, person)
        await self.accept(inbound)
        session = await open_session(self.memory, key)
        asked = await self.memory.record_message(session.id, inbound)
        ids = tuple(secrets.randbelow(2**31) for _ in range(4))
        replied = await self.memory.record_reply(session.id, asked.id, reply(answer, *ids))
        async with self.database.writing() as connection:
            newest = select(InboxRow.id).order_by(InboxRow.id.desc()).limit(1)
            inbox_id: int = (await connection.execute(newest)).scalar_one()
            done = {"turn_id": asked.id, "state": "delivered", "raw": None}
            await connection.execute(update(InboxRow).where(InboxRow.id == inbox_id).values(done))
            delivery = insert(DeliveryRow).values(_delivery(inbox_id, replied, pack_ids(ids)))
            delivery_id = (await connection.execute(delivery.returning(DeliveryRow.id))).scalar_one()
            part = {"delivery_id": delivery_id, "part": 0, "handle": "h", "end": len(answer), "closed": True}
            await connection.execute(insert(PartRow).values(part))
            candidate = insert(CandidateRow).values(_candidate(replied, pack_ids(ids))).returning(CandidateRow.id)
            candidate_id = (await connection.execute(candidate)).scalar_one()
        await self.rate(replied, person, candidate_id)
        return Exchange(asked, replied, inbox_id, ids)

    async def rate(self, turn: Turn, person: Person, candidate_id: int | None = None) -> None:
        """👍"""
        async with self.database.writing() as connection:
            opinion = {"turn_id": turn.id, "candidate_id": candidate_id, "opinion": "good", "withdrawn": False}
            whose = {"person_id": await _person_id(connection, person), "told_at": datetime.now(UTC)}
            await connection.execute(insert(FeedbackRow).values(opinion | whose))

    async def summarise(self, session: Session, summary: str) -> None:
        async with self.database.writing() as connection:
            change = update(SessionRow).where(SessionRow.id == session.id)
            await connection.execute(change.values(summary=summary, title=summary))

    async def link(self, *people: Person) -> None:
        async with self.database.writing() as connection:
            ids = [await _person_id(connection, person) for person in people]
            await connection.execute(update(PersonRow).where(PersonRow.id.in_(ids)).values(linked_to_id=min(ids)))

    async def texts(self, key: SessionKey = KEY) -> list[str]:
        session = await open_session(self.memory, key)
        return [turn.text for turn in await self.memory.recall(session.id, 100_000)]

    async def count(self, table: str, condition: str = "1 = 1") -> int:
        async with self.database.reading() as connection:
            found = await connection.execute(text(f"SELECT count(*) FROM {table} WHERE {condition}"))
            return int(found.scalar_one())


def somebody(word: str, platform: Platform = KEY.platform, workspace: str = KEY.workspace) -> Person:
    """The word is in their name and in their id."""
    return Person(platform, workspace, f"id{word}", f"name{word}")


def at(key: SessionKey, person: Person) -> SessionKey:
    """The same place on the person's platform."""
    return replace(key, platform=person.platform, workspace=person.workspace)


async def _person_id(connection: AsyncConnection, person: Person) -> int:
    account = (PersonRow.platform == person.platform.value, PersonRow.workspace == person.workspace)
    known = select(PersonRow.id).where(*account, PersonRow.platform_id == person.platform_id)
    return (await connection.execute(known)).scalar_one()


def _delivery(inbox_id: int, turn: Turn, token_ids: bytes) -> dict[str, object]:
    return {
        "inbox_id": inbox_id,
        "token": "t",
        "state": "delivered",
        "ends_as": "delivered",
        "turn_id": turn.id,
        "created_at": datetime.now(UTC),
        "text": turn.text,
        "token_ids": token_ids,
    }


def _candidate(turn: Turn, token_ids: bytes) -> dict[str, object]:
    return {
        "turn_id": turn.id,
        "number": 0,
        "chosen": True,
        "finish_reason": "stop",
        "log_probability": -1.0,
        "text": turn.text,
        "token_ids": token_ids,
    }


async def on_disk(database: Database, needles: Sequence[bytes], data: Path | None) -> set[bytes]:
    """Those that are found in the raw bytes: of SQLite's file with its log and index, or of PostgreSQL's data folder
    without its write-ahead log.
    """
    return {needle for content in _contents(database, data) for needle in needles if needle in content}


def _contents(database: Database, data: Path | None) -> Iterator[bytes]:
    if database.address.file is not None:
        for file in database.address.file.parent.glob(f"{database.address.file.name}*"):
            yield file.read_bytes()
        return
    assert data is not None
    for file in data.rglob("*"):
        if file.is_file() and "pg_wal" not in file.parts:
            yield file.read_bytes()


def needles(word: str) -> list[bytes]:
    """As it is written, and as an index may have it: without the beginning that it shares with another word."""
    return [word.encode(), word[len(_MARK) + 8 :].encode()]
