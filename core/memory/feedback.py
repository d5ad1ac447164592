"""What people think of replies, and what they wanted done with them.

Each opinion of a person about a reply is one row: told again it counts once, and taken back it stays as withdrawn. It
hangs on the reply's turn, on the candidate that was seen, and on the model that wrote it; while a reply is being
written, on what is owed instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Opinion, Person, SessionKey
from core.memory.database import Database
from core.memory.recording import remember_people
from core.memory.tables import CandidateRow, DeliveryRow, FeedbackRow, PersonRow, PlatformMessageRow, TurnRow


@dataclass(frozen=True, slots=True)
class Opined:
    """Whose opinion it is, and about what."""

    person: Person
    opinion: Opinion
    is_withdrawn: bool = False
    turn_id: int | None = None
    delivery_id: int | None = None


async def find_reply(connection: AsyncConnection, key: SessionKey, message_id: str) -> int | None:
    """The turn that a message of the bot's own is a part of."""
    turn_id: int | None = await connection.scalar(
        select(PlatformMessageRow.turn_id).where(
            PlatformMessageRow.platform == key.platform.value,
            PlatformMessageRow.bot == key.bot,
            PlatformMessageRow.channel == key.channel,
            PlatformMessageRow.message_id == message_id,
            PlatformMessageRow.direction == "out",
        )
    )
    return turn_id


async def add_opinion(database: Database, connection: AsyncConnection, opined: Opined) -> None:
    """The newest word of a person counts."""
    row = {
        "turn_id": opined.turn_id,
        "delivery_id": opined.delivery_id,
        "person_id": await _person_id(database, connection, opined.person),
        "opinion": opined.opinion.value,
        "withdrawn": opined.is_withdrawn,
        "told_at": datetime.now(UTC),
        **await _drawn_as(connection, opined.turn_id),
    }
    about = "delivery_id" if opined.turn_id is None else "turn_id"
    new = database.insert(FeedbackRow).values(**row)
    said = {name: new.excluded[name] for name in ("withdrawn", "told_at")}
    await connection.execute(new.on_conflict_do_update(index_elements=[about, "person_id", "opinion"], set_=said))


async def settle_opinions(connection: AsyncConnection, deliveries: Sequence[tuple[int, int]]) -> None:
    """(what was owed, its turn): what was said about replies while they were written is about their turns now."""
    for delivery_id, turn_id in deliveries:
        about = update(FeedbackRow).where(FeedbackRow.delivery_id == delivery_id)
        await connection.execute(about.values(turn_id=turn_id, **await _drawn_as(connection, turn_id)))


async def _drawn_as(connection: AsyncConnection, turn_id: int | None) -> dict[str, object]:
    """The model and the candidate of a reply."""
    chosen = select(CandidateRow.id).where(CandidateRow.turn_id == TurnRow.id, CandidateRow.chosen).scalar_subquery()
    asked = select(TurnRow.model, chosen.label("candidate_id")).where(TurnRow.id == turn_id)
    row = (await connection.execute(asked)).mappings().first()
    return {"model": None, "candidate_id": None} if row is None else dict(row)


async def _person_id(database: Database, connection: AsyncConnection, person: Person) -> int:
    """Many platforms tell no name with a reaction; the one that is known stays then."""
    if person.name:
        return (await remember_people(database, connection, [person]))[person]
    names = {"platform": person.platform.value, "workspace": person.workspace, "platform_id": person.platform_id}
    await connection.execute(database.insert(PersonRow).values(**names, name="").on_conflict_do_nothing())
    asked = select(PersonRow.id).filter_by(**names)
    return int((await connection.execute(asked)).scalar_one())


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one person thinks of a reply, as it is kept."""

    turn_id: int | None
    candidate_id: int | None
    model: str | None
    person: str
    opinion: Opinion
    is_withdrawn: bool


async def judgements(database: Database, turn_id: int) -> tuple[Judgement, ...]:
    """About one reply, in the order in which people told them."""
    async with database.reading() as connection:
        rows = (await connection.execute(_JUDGEMENTS.where(FeedbackRow.turn_id == turn_id))).mappings()
        return tuple(map(_judgement, rows))


async def judgements_of_owed(database: Database, inbox_id: int) -> tuple[Judgement, ...]:
    """About a reply that is, or was, being written to a message."""
    asked = _JUDGEMENTS.join(DeliveryRow, DeliveryRow.id == FeedbackRow.delivery_id)
    async with database.reading() as connection:
        rows = (await connection.execute(asked.where(DeliveryRow.inbox_id == inbox_id))).mappings()
        return tuple(map(_judgement, rows))


_JUDGEMENTS = (
    select(
        FeedbackRow.turn_id,
        FeedbackRow.candidate_id,
        FeedbackRow.model,
        PersonRow.platform_id,
        FeedbackRow.opinion,
        FeedbackRow.withdrawn,
    )
    .join(PersonRow, PersonRow.id == FeedbackRow.person_id)
    .order_by(FeedbackRow.id)
)


def _judgement(row: RowMapping) -> Judgement:
    return Judgement(
        row["turn_id"],
        row["candidate_id"],
        row["model"],
        row["platform_id"],
        Opinion(row["opinion"]),
        row["withdrawn"],
    )
