"""The dialogues in which one person spoke, as that person may see them: by their own words and nobody else's."""

from dataclasses import dataclass

from sqlalchemy import select

from core.dialogue import Person
from core.memory.database import Database
from core.memory.sessions import SESSION, Session, session_of
from core.memory.tables import PersonRow, SessionRow, TurnRow


@dataclass(frozen=True, slots=True)
class OwnDialogue:
    session: Session
    #: What the person said there last.
    said: str


async def own_dialogues(database: Database, bot: str, person: Person, limit: int) -> tuple[OwnDialogue, ...]:
    """Those that go on, in the person's workspace; the last active first. Raises StorageError."""
    own = (
        select(PersonRow.id)
        .where(
            PersonRow.platform == person.platform.value,
            PersonRow.workspace == person.workspace,
            PersonRow.platform_id == person.platform_id,
        )
        .scalar_subquery()
    )
    there = (TurnRow.session_id == SessionRow.id, TurnRow.person_id == own)
    last = select(TurnRow.text).where(*there).order_by(TurnRow.id.desc()).limit(1).scalar_subquery()
    mine = SESSION.add_columns(last.label("said")).where(
        SessionRow.platform == person.platform.value,
        SessionRow.bot == bot,
        SessionRow.workspace == person.workspace,
        SessionRow.active,
        select(TurnRow.id).where(*there).exists(),
    )
    newest = mine.order_by(SessionRow.last_active_at.desc(), SessionRow.id.desc()).limit(limit)
    async with database.reading() as connection:
        rows = (await connection.execute(newest)).mappings().all()
    return tuple(OwnDialogue(session_of(row), row["said"]) for row in rows)
