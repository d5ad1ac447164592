"""The steps of a transaction that remembers what was said, for any number of dialogues at once.

Who calls them has begun the transaction, and locks before reading.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Insert, Update, bindparam, case, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import FinishReason, InboundMessage, Person, Role, SessionKey, TokenizedText, Turn, TurnState
from core.errors import StorageError
from core.memory.candidates import CandidateRecord
from core.memory.database import Database, Inserting
from core.memory.lists import are_among
from core.memory.tables import Id, PersonRow, PlatformMessageRow, SessionRow, TurnRow
from core.memory.turns import TURN, pack_ids, storable, turn_of


class AlreadyRecorded(Exception):
    """Another transaction remembered the same message first: this one must be taken back."""


@dataclass(frozen=True, slots=True)
class ReplyRecord:
    """A reply and how it came about."""

    text: str
    model: str
    finish_reason: FinishReason
    state: TurnState = TurnState.ANSWERED
    tokens: TokenizedText | None = None
    #: The oldest turn in its prompt, and how many turns and tokens that held.
    prompt_start_id: int | None = None
    prompt_turns: int | None = None
    prompt_tokens: int | None = None
    #: Of the turn that is answered.
    question_token_count: int | None = None
    seed: int | None = None
    queue_s: float | None = None
    first_token_s: float | None = None
    total_s: float | None = None
    #: What it was chosen from, in the model's order.
    candidates: tuple[CandidateRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What a person said, as it is about to be remembered: one message, or a burst of them."""

    session_id: int
    #: The turn that it follows.
    parent_id: int | None
    person: Person
    text: str
    sent_at: datetime
    state: TurnState = TurnState.WAITING


async def remember_people(
    database: Database, connection: AsyncConnection, people: Iterable[Person]
) -> Mapping[Person, int]:
    """Their rows, with the names that they have now."""
    named = {(one.platform.value, one.workspace, one.platform_id): storable(one.name) for one in people}
    ids = await _people(connection, named)
    if len(ids) < len(named):
        rows = [dict(zip(_PERSON_KEY, by, strict=True)) | {"name": named[by]} for by in sorted(named)]
        await connection.execute(_new_people(database.insert), rows)
        ids = await _people(connection, named)
    return {one: ids[one.platform.value, one.workspace, one.platform_id] for one in people}


_PersonId = tuple[str, str, str]
_PERSON_KEY = ("platform", "workspace", "platform_id")
_PEOPLE = select(PersonRow.id, PersonRow.platform, PersonRow.workspace, PersonRow.platform_id, PersonRow.name).where(
    are_among((PersonRow.platform, PersonRow.workspace, PersonRow.platform_id), "people")
)


async def _people(connection: AsyncConnection, named: Mapping[_PersonId, str]) -> dict[_PersonId, int]:
    """Those that are known by the names that they have now."""
    rows = await connection.execute(_PEOPLE, {"people": sorted(named)})
    found = {(row.platform, row.workspace, row.platform_id): row for row in rows}
    return {by: row.id for by, row in found.items() if row.name == named[by]}


@cache
def _new_people(insert: Inserting) -> Insert:
    new = insert(PersonRow)
    changed = PersonRow.name != new.excluded.name
    return new.on_conflict_do_update(index_elements=list(_PERSON_KEY), set_={"name": new.excluded.name}, where=changed)


async def find_recorded(connection: AsyncConnection, message: InboundMessage) -> Turn | None:
    """The turn that an earlier copy of the message became."""
    key = message.session_key
    found = (
        select(*TURN)
        .join(PlatformMessageRow, PlatformMessageRow.turn_id == TurnRow.id)
        .where(
            PlatformMessageRow.platform == key.platform.value,
            PlatformMessageRow.bot == key.bot,
            PlatformMessageRow.channel == key.channel,
            PlatformMessageRow.message_id == message.message_id,
        )
    )
    row = (await connection.execute(found)).first()
    return None if row is None else turn_of(*row)


async def claim_message(database: Database, connection: AsyncConnection, message: InboundMessage, turn_id: int) -> None:
    """Raises AlreadyRecorded where it belongs to another turn."""
    row = message_row(message.session_key, message.message_id, turn_id, "in")
    new = database.insert(PlatformMessageRow).values(**row)
    if (await connection.execute(new.on_conflict_do_nothing())).rowcount == 0:
        raise AlreadyRecorded


async def claim_messages(database: Database, connection: AsyncConnection, rows: Sequence[dict[str, object]]) -> None:
    """`message_row`s; those that belong to a turn already stay with it."""
    if rows:
        await connection.execute(_new_messages(database.insert), list(rows))


@cache
def _new_messages(insert: Inserting) -> Insert:
    return insert(PlatformMessageRow).on_conflict_do_nothing()


def message_row(key: SessionKey, message_id: str, turn_id: int, direction: str, part: int = 0) -> dict[str, object]:
    return {
        "platform": key.platform.value,
        "bot": key.bot,
        "channel": key.channel,
        "message_id": message_id,
        "turn_id": turn_id,
        "part": part,
        "direction": direction,
    }


async def add_questions(database: Database, connection: AsyncConnection, questions: Sequence[Question]) -> list[Turn]:
    """The people's turns, each as the head of its session."""
    people = await remember_people(database, connection, [question.person for question in questions])
    rows: list[dict[str, object]] = [
        {
            "session_id": question.session_id,
            "parent_id": question.parent_id,
            "role": Role.PERSON.value,
            "person_id": people[question.person],
            "text": storable(question.text),
            "state": question.state.value,
            "created_at": question.sent_at,
        }
        for question in questions
    ]
    ids = await add_turns(connection, rows)
    now = datetime.now(UTC)
    heads = [{"of": row["session_id"], "head": turn_id, "now": now} for row, turn_id in zip(rows, ids, strict=True)]
    await connection.execute(_MOVE_HEAD, heads)
    return [
        Turn(turn_id, Role.PERSON, storable(question.text), storable(question.person.name))
        for turn_id, question in zip(ids, questions, strict=True)
    ]


_MOVE_HEAD = (
    update(SessionRow)
    .where(SessionRow.id == bindparam("of", type_=Id))
    .values(head_turn_id=bindparam("head", type_=Id), last_active_at=bindparam("now"))
)


async def add_turns(connection: AsyncConnection, rows: Sequence[Mapping[str, object]]) -> list[int]:
    """The new turns' ids, in the order of the rows."""
    said, sessions = [dict(row) for row in rows], [row["session_id"] for row in rows]
    if len(set(sessions)) < len(sessions):
        return list((await connection.execute(_NEW_TURNS_IN_ORDER, said)).scalars())
    # SQLite would be told the sorted ones one by one; a session tells its turn from the others' as well
    ids = {row.session_id: row.id for row in await connection.execute(_NEW_TURNS, said)}
    return [ids[session] for session in sessions]


_NEW_TURNS = insert(TurnRow).returning(TurnRow.session_id, TurnRow.id)
_NEW_TURNS_IN_ORDER = insert(TurnRow).returning(TurnRow.id, sort_by_parameter_order=True)


async def mark_answered(connection: AsyncConnection, answered: Sequence[tuple[int, int, int | None]]) -> None:
    """(session, question, its count of tokens); a count that is not known now leaves the one that was."""
    rows = [{"session": one[0], "question": one[1], "count": one[2]} for one in answered]
    await connection.execute(_MARK_ANSWERED, rows)


_MARK_ANSWERED = (
    update(TurnRow)
    .where(TurnRow.id == bindparam("question", type_=Id), TurnRow.session_id == bindparam("session", type_=Id))
    .values(
        state=TurnState.ANSWERED.value,
        token_count=func.coalesce(bindparam("count", type_=TurnRow.token_count.type), TurnRow.token_count),
    )
)


async def require_question(connection: AsyncConnection, session_id: int, turn_id: int) -> None:
    """Raises StorageError where it is gone, or was moved elsewhere."""
    there = select(TurnRow.id).where(TurnRow.id == turn_id, TurnRow.session_id == session_id)
    if (await connection.execute(there)).first() is None:
        raise StorageError(f"The message that was answered is no longer in session {session_id}; ask again")


async def move_heads_to_replies(connection: AsyncConnection, replies: Sequence[tuple[int, int, int]]) -> None:
    """(session, question, reply). Where the head is neither the question nor a reply to it, the dialogue is elsewhere
    by now, and the head stays."""
    now = datetime.now(UTC)
    rows = [{"session": one[0], "question": one[1], "reply": one[2], "now": now} for one in replies]
    await connection.execute(_MOVE_HEAD_TO_REPLY, rows)


def _move_head_to_reply() -> Update:
    question, reply = bindparam("question", type_=Id), bindparam("reply", type_=Id)
    head = SessionRow.head_turn_id
    earlier = select(TurnRow.id).where(TurnRow.parent_id == question, TurnRow.role == Role.ASSISTANT.value)
    moved = case((or_(head == question, head.in_(earlier)), reply), else_=head)
    change = update(SessionRow).where(SessionRow.id == bindparam("session", type_=Id))
    return change.values(head_turn_id=moved, last_active_at=bindparam("now"))


_MOVE_HEAD_TO_REPLY = _move_head_to_reply()


def reply_row(session_id: int, question_id: int, reply: ReplyRecord) -> dict[str, object]:
    return {
        "session_id": session_id,
        "parent_id": question_id,
        "role": Role.ASSISTANT.value,
        "state": reply.state.value,
        "tokenizer": None if reply.tokens is None else reply.tokens.tokenizer,
        "token_count": None if reply.tokens is None else len(reply.tokens.ids),
        "token_ids": None if reply.tokens is None else pack_ids(reply.tokens.ids),
        "text": storable(reply.text),
        "model": reply.model,
        "finish_reason": reply.finish_reason.value,
        "prompt_start_id": reply.prompt_start_id,
        "prompt_turns": reply.prompt_turns,
        "prompt_tokens": reply.prompt_tokens,
        "seed": reply.seed,
        "queue_s": reply.queue_s,
        "first_token_s": reply.first_token_s,
        "total_s": reply.total_s,
        "created_at": datetime.now(UTC),
    }
