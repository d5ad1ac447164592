"""What is known of each reply while it is written, and the one line that it leaves in the log.

Numbers and fixed words, never what was said.
"""

import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

from core.dialogue import TurnState
from core.measures import (
    ENGINE_WAIT_S,
    FIRST_TOKEN_S,
    REPLIES,
    REPLY_S,
    RETRIES,
    SEND_S,
    SENDS,
    TOKENS_PER_S,
    WAIT_S,
    Measures,
)
from core.memory.leased import WaitingMessage
from core.memory.owed import Delivery, Whole
from core.memory.recording import ReplyRecord

logger = logging.getLogger(__name__)

#: More replies than one process writes at once; beyond that the oldest story is forgotten.
_STORIES = 4096


@dataclass(slots=True)
class _Story:
    """What is known of a reply until it ends."""

    session: int | None = None
    wait_s: float | None = None
    edits: int = 0
    failures: int = 0
    record: ReplyRecord | None = None


class Observer:
    """The stories of the replies that this process writes."""

    def __init__(self, measures: Measures) -> None:
        self.measures = measures
        #: By the message's row.
        self._stories: OrderedDict[int, _Story] = OrderedDict()
        #: A reply's token → its message's row.
        self._rows: OrderedDict[str, int] = OrderedDict()

    def begun(self, message: WaitingMessage, delivery: Delivery, session: int | None) -> None:
        story = self._story(message.id)
        self._name(message, delivery)
        story.session = session if story.session is None else story.session
        if story.wait_s is None:
            story.wait_s = _since(message.accepted_at)
            self.measures.observe(WAIT_S, story.wait_s)

    def said(self, message: WaitingMessage, delivery: Delivery) -> None:
        self._story(message.id)
        self._name(message, delivery)

    def recorded(self, whole: Whole) -> None:
        record, story = whole.record, self._story(whole.message.id)
        story.record, story.session = record, whole.session.id
        for histogram, value in ((ENGINE_WAIT_S, record.queue_s), (FIRST_TOKEN_S, record.first_token_s)):
            if value is not None:
                self.measures.observe(histogram, value)
        if (pace := _tokens_per_s(record)) is not None:
            self.measures.observe(TOKENS_PER_S, pace)

    def sent(self, platform: str, call: str, result: str, seconds: float, token: str = "") -> None:
        self.measures.count(SENDS, platform, call, result)
        self.measures.observe(SEND_S, seconds, platform)
        story = self._stories.get(self._rows.get(token, 0))
        if story is not None:
            story.edits += call in ("update", "append") and result == "ok"
            story.failures += result != "ok"

    def put_off(self) -> None:
        self.measures.count(RETRIES)

    def ended(self, message: WaitingMessage, outcome: TurnState, delivery: Delivery | None = None) -> None:
        """One line for each reply."""
        story = self._stories.pop(message.id, _Story())
        if delivery is not None:
            self._rows.pop(delivery.token, None)
        total_s = _since(message.accepted_at)
        self.measures.count(REPLIES, outcome.value)
        self.measures.observe(REPLY_S, total_s)
        parts = sum(part.handle is not None for part in delivery.parts) if delivery is not None else 0
        told = {
            "action": "reply",
            "platform": message.inbound.session_key.platform.value,
            "session": story.session,
            "outcome": outcome.value,
            "attempts": message.attempts + 1,
            "parts": parts,
            "edits": story.edits,
            "retries": story.failures,
            "wait_s": _rounded(story.wait_s),
            "total_s": _rounded(total_s),
        }
        logger.info("answered", extra=told | _of_model(story.record))

    def _story(self, row: int) -> _Story:
        story = self._stories.setdefault(row, _Story())
        if len(self._stories) > _STORIES:
            self._stories.popitem(last=False)
        return story

    def _name(self, message: WaitingMessage, delivery: Delivery) -> None:
        self._rows[delivery.token] = message.id
        if len(self._rows) > _STORIES:
            self._rows.popitem(last=False)


def _since(moment: datetime) -> float:
    return max((datetime.now(UTC) - moment).total_seconds(), 0.0)


def _tokens_per_s(record: ReplyRecord) -> float | None:
    if record.tokens is None or record.total_s is None or record.first_token_s is None:
        return None
    tokens, seconds = len(record.tokens.ids) - 1, record.total_s - record.first_token_s
    return tokens / seconds if tokens > 0 and seconds > 0 else None


def _of_model(record: ReplyRecord | None) -> dict[str, object]:
    """Nothing of what was said without the model."""
    if record is None:
        return {}
    return {
        "model": record.model,
        "finish_reason": record.finish_reason.value,
        "tokens": 0 if record.tokens is None else len(record.tokens.ids),
        "prompt_tokens": record.prompt_tokens,
        "queue_s": _rounded(record.queue_s),
        "first_token_s": _rounded(record.first_token_s),
        "tokens_per_s": _rounded(_tokens_per_s(record)),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
