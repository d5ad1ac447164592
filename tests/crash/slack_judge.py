"""Whether each message has its one answer, as the local Slack saw it.

What was sent says in its metadata which part it is, and is found again. Only a stream has no metadata before it is
stopped, so one that is in doubt is empty, and whoever looks for it takes it up. Where nobody does, it stays: such
orphans are counted apart, where one of these troubles explains them. Any other one is a fault, as is all that carries
content.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapters.slack.buttons import FEEDBACK, STOP
from adapters.slack.outbound import OPEN, PLACEHOLDER
from bots.sandbox.local_slack.sights import CallSeen, ChannelSeen, DeliverySeen, MessageSeen
from tests.crash.verdict import Fault, Judgement, text_fault
from tests.platforms.paper_model import answer_to
from tests.platforms.paper_sender import PaperEvent

#: Calls by which something begins to be seen.
SENDS = ("chat.postMessage", "chat.startStream")
#: Of a text, at each end.
_SHOWN = 40
#: A bot whose end was seen may have been heard by the server a little later.
_HEARD_LATE_S = 1.0
#: What the server was told to do to a call after it was carried out: the sender learns nothing of it.
_UNANSWERED = frozenset({"drop_after", "delay_after", "answer_after"})


@dataclass(frozen=True, slots=True)
class Question:
    event: PaperEvent
    channel: str
    ts: str
    #: Of its thread.
    root_ts: str


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    seen: ChannelSeen
    #: The calls that sent something there, oldest first.
    sends: Sequence[CallSeen]
    #: Of what people said there.
    deliveries: Sequence[DeliverySeen] = ()
    #: The calls that showed there that something is worked on, or not any more.
    statuses: Sequence[CallSeen] = ()


@dataclass(frozen=True, slots=True)
class _Reply:
    """All that was said about a question."""

    question: Question
    #: Those that were whole when somebody deleted them, too.
    messages: Sequence[MessageSeen]

    @property
    def shown(self) -> list[MessageSeen]:
        return [message for message in self.messages if message.deleted_at is None]


def judged(
    questions: Sequence[Question], records: Sequence[ChannelRecord], words: int, troubles: Sequence[float]
) -> Judgement:
    """`troubles`: when bots were found killed or held."""
    replies = [_reply(question, records) for question in questions]
    faults = [fault for reply in replies for fault in _faults(reply, words)]
    faults += _nobodys(replies, records)
    if not troubles:  # whoever is killed leaves it as it is
        faults += [fault for record in records for fault in _left_processing(record)]
    orphans = [(record, message) for record in records for message in _standing(record) if _is_empty(message)]
    faults += [
        Fault("doubled", "", f"a stream was left empty for no reason: {orphan.ts}")
        for record, orphan in orphans
        if not _is_explained(orphan, record, troubles)
    ]
    return Judgement(faults, len(orphans), _brought_again(questions, records))


def _faults(reply: _Reply, words: int) -> Iterator[Fault]:
    event = reply.question.event
    expected = answer_to(event.text, words)
    # whoever deletes a message may do so just when it is whole, and then it is sent again, or it is not
    said = next((said for said in (_said(reply.messages), _said(reply.shown)) if said == expected), None)
    if said is None:
        yield text_fault(event, expected, _said(reply.messages))
    for message in reply.shown:
        if is_open(message) or message.is_live:
            yield Fault("broken", event.id, f"{message.ts} is not whole")
        if STOP in message.actions:
            yield Fault("broken", event.id, f"{message.ts} is whole, and can still be stopped")
    if reply.shown and [FEEDBACK in message.actions for message in reply.shown].count(True) != 1:
        yield Fault("broken", event.id, "there is not one place to say what one thinks of it")


def _reply(question: Question, records: Sequence[ChannelRecord]) -> _Reply:
    """In its thread, what ever spoke of it; no two questions are the same."""
    record = next(record for record in records if record.seen.id == question.channel)
    about = re.compile(rf"\b{question.event.text}[:-]")
    return _Reply(
        question,
        [
            message
            for message in _standing(record)
            if message.root_ts == question.root_ts and any(about.search(text) for text in message.texts)
        ],
    )


def _nobodys(replies: Sequence[_Reply], records: Sequence[ChannelRecord]) -> list[Fault]:
    known = {(reply.question.channel, message.ts) for reply in replies for message in reply.messages}
    return [
        Fault("doubled", "", f"nobody was answered with {[text[:_SHOWN] for text in message.texts]}")
        for record in records
        for message in _standing(record)
        if not _is_empty(message) and (record.seen.id, message.ts) not in known
    ]


def _left_processing(record: ChannelRecord) -> Iterator[Fault]:
    for root_ts, thread in record.seen.threads.items():
        calls = [call for call in record.statuses if call.parameters.get("thread_ts") == root_ts]
        is_left = thread.session is not None and thread.session.status == "processing"
        if is_left and not any(call.fault for call in calls):
            yield Fault("broken", "", f"nobody works in {root_ts} any more, and it looks as if")


def _standing(record: ChannelRecord) -> list[MessageSeen]:
    """The bot's, and those among them that were whole when somebody deleted them."""
    own = [message for message in record.seen.all_messages if message.is_bots]
    return [message for message in own if message.deleted_at is None or not is_open(message)]


def is_open(message: MessageSeen) -> bool:
    """It is written still."""
    payload = (message.metadata or {}).get("event_payload")
    return not isinstance(payload, dict) or payload.get("state", OPEN) == OPEN


def _is_empty(message: MessageSeen) -> bool:
    """It never said anything."""
    return {text.strip() for text in message.texts} <= {"", PLACEHOLDER}


def _said(messages: Sequence[MessageSeen]) -> str:
    return " ".join(" ".join(message.text for message in messages).split())


def _is_explained(orphan: MessageSeen, record: ChannelRecord, troubles: Sequence[float]) -> bool:
    """A call that was never answered, or the end or sleep of a bot before something was sent there again."""
    sent_at = orphan.times[0]
    sends = [call for call in record.sends if call.parameters.get("thread_ts") == orphan.thread_ts]
    if any(call.fault in _UNANSWERED and _was_under_way(call, sent_at) for call in sends):
        return True
    again_at = next((call.began for call in sends if call.began > sent_at), math.inf)
    return any(sent_at - _HEARD_LATE_S < trouble < again_at for trouble in troubles)


def _was_under_way(call: CallSeen, at: float) -> bool:
    return call.began <= at and (call.ended is None or at <= call.ended)


def _brought_again(questions: Sequence[Question], records: Sequence[ChannelRecord]) -> int:
    """Events that were not acked at first."""
    asked = {(question.channel, question.ts) for question in questions}
    brought = [one for record in records for one in record.deliveries if (one.channel, one.ts) in asked]
    return sum(any(not attempt.is_ack for attempt in one.attempts) for one in brought)


def log_of(question: Question, records: Sequence[ChannelRecord]) -> list[str]:
    record = next(record for record in records if record.seen.id == question.channel)
    brought = [
        f"  brought    {attempt.at:10.3f} {one.what} over {attempt.over or 'nothing'} {attempt.reason or 'acked'}"
        for one in record.deliveries
        if one.ts == question.ts
        for attempt in one.attempts
    ]
    calls = [
        f"  {call.began:10.3f} {call.method} → {_answered(call)} {call.fault}"
        for call in record.sends
        if call.parameters.get("thread_ts") == question.root_ts
    ]
    seen = [
        f"  seen       {message.ts}: {one.at:10.3f} {one.shown[:_SHOWN]!r} … {one.shown[-_SHOWN:]!r}"
        for message in record.seen.all_messages
        if message.is_bots and message.root_ts == question.root_ts
        for one in message.versions
    ]
    return brought + calls + seen


def _answered(call: CallSeen) -> object:
    return call.answer.get("ts") or call.answer.get("error", "nothing")
