"""Older turns of a dialogue that have words of a question, found by full-text search.

Each word is looked for by itself, newest turns first, so that a word that everybody says does not hide a rare one. The
session is a part of every search and is compared again on each row; what was taken back or drawn again is not found.

SQLite: an FTS5 index whose columns are the session and the text. PostgreSQL: a column of lexemes with a GIN index. A
word that people say often is found among the newest turns; only the others are looked up in that index, since no plan
is good for both. The words stand in the statement itself, so that each is planned for.
Words reach both as `core.relevance` gives them: letters, digits and marks.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from sqlalchemy import BindParameter, String, TextualSelect, bindparam, column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Role, Turn
from core.memory.chain import line_to
from core.memory.database import Database
from core.memory.tables import Id, TurnRow
from core.memory.turns import SPEAKER
from core.relevance import RANKED_LIMIT, TURNS_PER_WORD, rank, words_of


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, in the dialogue that `head_turn_id` ends."""

    session_id: int
    head_turn_id: int
    question: str
    #: Only what was said before this turn.
    before_turn_id: int


async def search(database: Database, wanted: Search) -> tuple[Turn, ...]:
    """The best first; at most 200 turns were ranked. Raises StorageError."""
    words = words_of(wanted.question)
    if not words:
        return ()
    turns = await database.read(partial(_find_on_the_way, database, wanted, words))
    ranked = await asyncio.to_thread(rank, words, {turn_id: turn.text for turn_id, turn in turns.items()})
    return tuple(turns[turn_id] for turn_id in ranked)


async def _find_on_the_way(
    database: Database, wanted: Search, words: Sequence[str], connection: AsyncConnection
) -> dict[int, Turn]:
    """Those that the head goes back to, oldest first, without their tokens."""
    turns = await _find(database, connection, wanted, words)
    if not turns:
        return {}
    line = await line_to(connection, wanted.session_id, wanted.head_turn_id, min(turns))
    return {turn_id: turn for turn_id, turn in turns.items() if line.holds(turn_id)}


async def _find(
    database: Database, connection: AsyncConnection, wanted: Search, words: Sequence[str]
) -> dict[int, Turn]:
    having = _sqlite(len(words)) if database.address.file is not None else _postgresql(len(words))
    found = (
        select(TurnRow.id, TurnRow.role, TurnRow.text, SPEAKER)
        .where(TurnRow.id.in_(having), TurnRow.session_id == wanted.session_id)
        .order_by(TurnRow.id.desc())
        .limit(RANKED_LIMIT)
    )
    values: dict[str, object] = {"before": wanted.before_turn_id, "session": wanted.session_id, "rows": TURNS_PER_WORD}
    for number, word in enumerate(words):
        if database.address.file is not None:
            values[f"word{number}"] = f'session : "{wanted.session_id}" AND text : "{word}"'
        else:
            values |= {f"{form}{number}": written(word) for form, written in _FORMS.items()}
    rows = (await connection.execute(found, values)).all()
    return {row[0]: Turn(row[0], Role(row[1]), row[2], row[3] or "") for row in reversed(rows)}


#: PostgreSQL lowers only A to Z where a database has the locale C: other scripts are looked for as people write them.
_FORMS: Mapping[str, Callable[[str], str]] = {"word": str, "lower": str.lower, "title": str.capitalize}


@lru_cache
def _sqlite(words: int) -> TextualSelect:
    one = (
        "SELECT id FROM (SELECT rowid AS id FROM turns_search WHERE turns_search MATCH :word{number} "
        "AND rowid < :before ORDER BY rowid DESC LIMIT :rows)"
    )
    return _any_of(one, words)


#: Among the newest turns a word is looked for without the index.
_NEWEST = (
    "newest AS MATERIALIZED (SELECT id, turns_search FROM turns "
    "WHERE session_id = :session AND id < :before ORDER BY id DESC LIMIT 500)"
)
_ASKED = (
    "(plainto_tsquery('simple', :word{number}) || plainto_tsquery('simple', :lower{number})"
    " || plainto_tsquery('simple', :title{number}))"
)
_NEAR = "near{number} AS MATERIALIZED (SELECT id FROM newest WHERE turns_search @@ {asked} LIMIT :rows)"
_FAR = (
    "far{number} AS MATERIALIZED (SELECT id FROM turns WHERE turns_search @@ {asked} AND session_id = :session "
    "AND id < :before AND (SELECT count(*) FROM near{number}) < :rows)"
)
_NEAR_OR_FAR = (
    "SELECT id FROM near{number} UNION "
    "SELECT id FROM (SELECT id FROM far{number} ORDER BY id DESC LIMIT :rows) AS having{number}"
)


@lru_cache
def _postgresql(words: int) -> TextualSelect:
    asked = [_ASKED.format(number=number) for number in range(words)]
    steps = (step.format(number=number, asked=asked[number]) for number in range(words) for step in (_NEAR, _FAR))
    beginning = f"WITH {', '.join((_NEWEST, *steps))} "
    written = [_inline(f"{form}{number}", String()) for number in range(words) for form in _FORMS]
    values = [_inline("session"), _inline("before"), _inline("rows"), *written]
    return _any_of(_NEAR_OR_FAR, words, *values, beginning=beginning)


def _inline(name: str, kind: String | None = None) -> BindParameter[object]:
    return bindparam(name, type_=kind or Id, literal_execute=True)


def _any_of(one: str, words: int, *parameters: BindParameter[object], beginning: str = "") -> TextualSelect:
    statement = beginning + " UNION ".join(one.format(number=number) for number in range(words))
    return text(statement).bindparams(*parameters).columns(column("id", Id))
