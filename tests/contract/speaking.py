"""How the tests of the memory talk: short ways to messages and replies."""

import itertools
from datetime import UTC, datetime

from core.dialogue import FinishReason, InboundMessage, Person, Platform, SessionKey, TokenizedText, Turn
from core.memory.recording import ReplyRecord
from core.memory.sessions import Session
from core.memory.store import Memory

KEY = SessionKey(Platform.DISCORD, bot="banter", workspace="guild", channel="general")
ANNA = Person(Platform.DISCORD, workspace="guild", platform_id="17", name="Anna")
SENT_AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)

_message_ids = (f"m{number}" for number in itertools.count())


def message(text: str, key: SessionKey = KEY, person: Person = ANNA, message_id: str = "") -> InboundMessage:
    return InboundMessage(key, person, message_id or next(_message_ids), text, SENT_AT)


def reply(text: str, *ids: int, question_token_count: int | None = None) -> ReplyRecord:
    tokens = TokenizedText("tiny", ids) if ids else None
    return ReplyRecord(text, "tiny", FinishReason.STOP, tokens=tokens, question_token_count=question_token_count)


async def open_session(memory: Memory, key: SessionKey = KEY) -> Session:
    return await memory.open_session(key, persona="banter", model="tiny")


async def say(memory: Memory, session: Session, text: str) -> Turn:
    return await memory.record_message(session.id, message(text, session.key))


async def exchange(memory: Memory, session: Session, question: str, answer: str) -> tuple[Turn, Turn]:
    asked = await say(memory, session, question)
    return asked, await memory.record_reply(session.id, asked.id, reply(answer))


async def texts(memory: Memory, session: Session, max_tokens: int = 10_000) -> list[str]:
    """What is recalled."""
    return [turn.text for turn in await memory.recall(session.id, max_tokens)]
