"""Whether each message has its one answer, as the local Bot API server saw it.

Telegram has no key for a send. Where a bot dies, or the connection does, between a send and its commit, what was sent
stays, and it is sent again: so nothing is sent but an empty placeholder. Such orphans are counted apart, where one of
these troubles explains them; any other one is a fault, as is all that carries content.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bots.sandbox.local_telegram.sights import CallSeen, ChatSeen, MessageSeen, VersionSeen
from tests.crash.verdict import Fault, Judgement, text_fault
from tests.platforms.paper_model import answer_to
from tests.platforms.paper_sender import PaperEvent

#: What an empty part looks like, to people.
PLACEHOLDER = "…"
#: On the button below what is still written.
STOP = "⏹"
#: Of a text, at each end.
_SHOWN = 40
#: A bot whose end was seen may have been heard by the server a little later.
_HEARD_LATE_S = 1.0
#: What the server was told to do to a call after it was carried out: the sender learns nothing of it.
_UNANSWERED = frozenset({"drop_after", "delay_after", "answer_after"})


@dataclass(frozen=True, slots=True)
class Question:
    event: PaperEvent
    chat_id: int
    #: The server's id of it.
    message_id: int


@dataclass(frozen=True, slots=True)
class ChatRecord:
    chat_id: int
    seen: ChatSeen
    #: The calls that sent something there, oldest first.
    sends: Sequence[CallSeen]


@dataclass(frozen=True, slots=True)
class _Reply:
    """All that people see of what was said about a question."""

    question: Question
    record: ChatRecord
    messages: Sequence[MessageSeen]

    @property
    def orphans(self) -> list[MessageSeen]:
        return [message for message in self.messages if set(message.texts) == {PLACEHOLDER}]

    @property
    def content(self) -> list[MessageSeen]:
        return [message for message in self.messages if set(message.texts) != {PLACEHOLDER}]


def judged(
    questions: Sequence[Question], records: Sequence[ChatRecord], words: int, troubles: Sequence[float]
) -> Judgement:
    replies = [_reply(question, records) for question in questions]
    faults = [fault for reply in replies for fault in _faults(reply, words, troubles)]
    faults += _nobodys(replies, records)
    return Judgement(faults, sum(len(reply.orphans) for reply in replies))


def _faults(reply: _Reply, words: int, troubles: Sequence[float]) -> Iterator[Fault]:
    event = reply.question.event
    said = " ".join(" ".join(message.text for message in reply.content).split())
    expected = answer_to(event.text, words)
    if said != expected:
        yield text_fault(event, expected, said)
    for message in reply.content:
        if _can_be_stopped(message):
            yield Fault("broken", event.id, f"{message.id} is whole, and can still be stopped")
    for orphan in reply.orphans:
        if not _is_explained(orphan, reply.record, troubles):
            yield Fault("doubled", event.id, f"a placeholder was left for no reason: {orphan.id}")


def _is_explained(orphan: MessageSeen, record: ChatRecord, troubles: Sequence[float]) -> bool:
    """A call that was never answered, or the end or sleep of a bot before the same part was sent again."""
    sent_at = orphan.times[0]
    if any(call.fault in _UNANSWERED and _was_under_way(call, sent_at) for call in record.sends):
        return True
    own = _tokens(orphan)
    later = (call.began for call in record.sends if call.began > sent_at and _tokens_of(call) & own)
    again_at = next(later, math.inf)
    return any(sent_at - _HEARD_LATE_S < trouble < again_at for trouble in troubles)


def _was_under_way(call: CallSeen, at: float) -> bool:
    return call.began <= at and (call.ended is None or at <= call.ended)


def _reply(question: Question, records: Sequence[ChatRecord]) -> _Reply:
    """What replies to it, and what belongs to such a reply: the next parts in a private chat reply to nothing."""
    record = next(record for record in records if record.chat_id == question.chat_id)
    bots = _all_that_stand(record)
    direct = [message for message in bots if message.reply_to_id == question.message_id]
    tokens = {token for message in direct for token in _tokens(message)}
    return _Reply(question, record, [message for message in bots if message in direct or _tokens(message) & tokens])


def _nobodys(replies: Sequence[_Reply], records: Sequence[ChatRecord]) -> list[Fault]:
    known = {(reply.record.chat_id, message.id) for reply in replies for message in reply.messages}
    return [
        Fault("doubled", "", f"nobody was answered with {message.texts}")
        for record in records
        for message in _all_that_stand(record)
        if (record.chat_id, message.id) not in known
    ]


def _all_that_stand(record: ChatRecord) -> list[MessageSeen]:
    """The bot's, and those among them that were whole when somebody deleted them."""
    own = [message for message in record.seen.all_messages if message.is_bots and not message.is_service]
    return [message for message in own if message.deleted_at is None or not is_open(message)]


def is_open(message: MessageSeen) -> bool:
    """It is written still."""
    return message.text == PLACEHOLDER or _can_be_stopped(message)


def _can_be_stopped(message: MessageSeen) -> bool:
    return any(label.startswith(STOP) for row in message.buttons for label in row)


def _sent_id(call: CallSeen) -> int:
    """The message that came of a call; 0 where none did."""
    result = call.answer.get("result")
    return int(str(result["message_id"])) if isinstance(result, dict) else 0


def _tokens(message: MessageSeen) -> set[str]:
    """Of the reply that it was ever a part of: its buttons carry them."""
    return {token for version in message.versions for token in _of_version(version)}


def _of_version(version: VersionSeen) -> set[str]:
    return _tokens_in(json.dumps(version.keyboard)) if version.keyboard else set()


def _tokens_of(call: CallSeen) -> set[str]:
    return _tokens_in(call.parameters["reply_markup"]) if "reply_markup" in call.parameters else set()


def _tokens_in(keyboard: str) -> set[str]:
    rows = json.loads(keyboard)["inline_keyboard"]
    return {button["callback_data"].partition(".")[2].rpartition(".")[0] for row in rows for button in row}


def log_of(question: Question, records: Sequence[ChatRecord]) -> list[str]:
    reply = _reply(question, records)
    sent = {message.id for message in reply.messages}
    calls = [
        f"  {call.began:10.3f} sendMessage → {_sent_id(call) or 'nothing'} {call.status} {call.fault}"
        for call in reply.record.sends
        if _sent_id(call) in {*sent, 0}
    ]
    seen = [
        f"  seen       {message.id}: {one.at:10.3f} {one.text[:_SHOWN]!r} … {one.text[-_SHOWN:]!r}"
        for message in reply.messages
        for one in message.versions
    ]
    return calls + seen
