"""What came in from the platforms: stored before it is acked, and once.

The row's key is a keyed hash of the event's, so that a copy is known even when everything else of it was forgotten.
Without the key nobody can find out which events those were.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import Insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from core.dialogue import Edit, EventKey, Feedback, Inbound, InboundMessage, Kind, Platform, SessionKey, TurnState
from core.memory.database import Database, Inserting
from core.memory.grouped import GroupedWrites
from core.memory.inbound_json import dump
from core.memory.lists import is_among
from core.memory.places import place_of
from core.memory.tables import DEAD, CursorRow, InboxRow, LeaseRow
from core.memory.turns import storable
from core.memory.whereabouts import find_place, is_talking
from core.ports import Cursor

#: PostgreSQL tells every process that listens to it: something is in the inbox.
CHANNEL = "banter_inbox"
#: What a notice says of an event that does not wait for the reply that it is about.
URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class Entry:
    """An event to be kept."""

    platform: Platform
    bot: str
    #: None of an event that was not understood.
    inbound: Inbound | None
    raw: str
    #: Why it was not understood.
    reason: str = ""
    #: It does not wait for the reply that it is about.
    urgent: bool = False
    #: Until then it may become one turn with what the same person says next.
    settles_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: tuple[dict[str, object], ...]
    cursor: Cursor | None


class Inbox:
    def __init__(self, database: Database, writes: GroupedWrites, event_secret: bytes) -> None:
        self._database = database
        self._writes = writes
        self._secret = event_secret

    async def accept(self, entries: Sequence[Entry], cursor: Cursor | None = None) -> int:
        """Keeps all entries and the cursor, or nothing; how many are new. Raises StorageError."""
        if not entries and cursor is None:
            return 0
        now = datetime.now(UTC)
        return await self._writes.write(_accept, _Batch(tuple(self._row(entry, now) for entry in entries), cursor))

    async def cursor(self, platform: Platform, bot: str, name: str) -> int | None:
        """How far the events of a platform were taken in; None where none were."""
        known = select(CursorRow.value).where(
            CursorRow.platform == platform.value, CursorRow.bot == bot, CursorRow.name == name
        )
        async with self._database.reading() as connection:
            value: int | None = await connection.scalar(known)
            return value

    async def place_of_message(self, key: SessionKey, message_id: str) -> SessionKey | None:
        """Where somebody's message, or one of the bot's own, is kept; None where it is not."""
        event = EventKey(key.platform, key.bot, Kind.MESSAGE, key.channel, message_id)
        async with self._database.reading() as connection:
            return await find_place(connection, self._hash(event), key, message_id)

    async def is_talking(self, key: SessionKey, since: datetime | None) -> bool:
        """Whether the bot is in a dialogue there that was active since then."""
        async with self._database.reading() as connection:
            return await is_talking(connection, key, since)

    async def is_replying(self, key: SessionKey) -> bool:
        """Whether a reply is written or sent there now."""
        begun = (TurnState.ANSWERING.value, TurnState.ANSWERED.value)
        there = select(InboxRow.id).where(InboxRow.place == place_of(key), InboxRow.state.in_(begun))
        async with self._database.reading() as connection:
            return await connection.scalar(there.where(InboxRow.urgent.is_(False)).limit(1)) is not None

    def _row(self, entry: Entry, now: datetime) -> dict[str, object]:
        inbound = entry.inbound
        return {
            "event_key": self._hash(inbound.event_key if inbound else entry.raw),
            "platform": entry.platform.value,
            "bot": entry.bot,
            "place": place_of(inbound.session_key) if inbound else "",
            "kind": inbound.event_key.kind.value if inbound else "",
            "urgent": entry.urgent,
            "state": TurnState.WAITING.value if inbound else DEAD,
            "attempts": 0,
            "not_before": now + timedelta(seconds=entry.settles_s),
            "reason": storable(entry.reason),
            "accepted_at": now,
            "inbound": storable(dump(inbound)) if inbound else None,
            "raw": storable(entry.raw),
            "person": _person(inbound),
        }

    def _hash(self, event: EventKey | str) -> str:
        told = event if isinstance(event, str) else json.dumps(event.words)
        return hmac.new(self._secret, told.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _person(inbound: Inbound | None) -> str:
    """A deletion or a move is nobody's."""
    return inbound.person.platform_id if isinstance(inbound, InboundMessage | Edit | Feedback) else ""


async def _accept(database: Database, connection: AsyncConnection, batches: Sequence[_Batch]) -> list[int]:
    rows = [row for batch in batches for row in batch.rows]
    new = await _insert(database, connection, rows) if rows else set()
    if kept := [row for row in rows if row["event_key"] in new and row["place"]]:
        await _open_places(database, connection, {str(row["place"]) for row in kept})
        if database.knows_notify:
            payload = URGENT if any(row["urgent"] for row in kept) else ""
            await connection.execute(text(f"NOTIFY {CHANNEL}, '{payload}'"))
    if cursors := [batch.cursor for batch in batches if batch.cursor is not None]:
        await _advance(database, connection, cursors)
    counts = []
    for batch in batches:  # of two copies in one group the first is the new one
        keys = {str(row["event_key"]) for row in batch.rows} & new
        counts.append(len(keys))
        new -= keys
    return counts


async def _insert(database: Database, connection: AsyncConnection, rows: Sequence[dict[str, object]]) -> set[str]:
    """The keys of those that were not there."""
    inserted = await connection.execute(_new_events(database.insert), list(rows))
    return set(inserted.scalars())


@cache
def _new_events(insert: Inserting) -> ReturningInsert[str]:
    return insert(InboxRow).on_conflict_do_nothing(index_elements=["event_key"]).returning(InboxRow.event_key)


@cache
def _new_places(insert: Inserting) -> Insert:
    return insert(LeaseRow).on_conflict_do_nothing(index_elements=["place"])


#: An upsert would lock every lease, and wait for other processes' replies.
_UNPAUSE = update(LeaseRow).where(is_among(LeaseRow.place, "places"), LeaseRow.paused != "").values(paused="")


async def _open_places(database: Database, connection: AsyncConnection, places: set[str]) -> None:
    """Every place has a lease; somebody who speaks can be answered, whatever was there before."""
    now = datetime.now(UTC)
    epoch = int(now.timestamp() * 1000)  # later than any of a lease that was there once and was forgotten
    rows = [{"place": place, "owner": "", "epoch": epoch, "expires_at": now, "paused": ""} for place in sorted(places)]
    await connection.execute(_new_places(database.insert), rows)
    await connection.execute(_UNPAUSE, {"places": sorted(places)})


async def _advance(database: Database, connection: AsyncConnection, cursors: Sequence[Cursor]) -> None:
    furthest: dict[tuple[str, str, str], int] = {}
    for cursor in cursors:
        name = (cursor.platform.value, cursor.bot, cursor.name)
        furthest[name] = max(cursor.value, furthest.get(name, cursor.value))
    new = database.insert(CursorRow)
    moved = new.on_conflict_do_update(
        index_elements=["platform", "bot", "name"],
        set_={"value": new.excluded.value},
        where=CursorRow.value < new.excluded.value,
    )
    names = ("platform", "bot", "name")
    rows = [{**dict(zip(names, name, strict=True)), "value": value} for name, value in sorted(furthest.items())]
    await connection.execute(moved, rows)
