"""Whether each message has its one answer, as the local Discord saw it.

Every send has a nonce, and what is open names its part in its button, so nothing may be left over, not even a
placeholder. What people do by commands is told once and can't be fetched later: it is owed an answer only where Discord
was told that one comes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bots.sandbox.local_discord.sights import ChannelSeen, MessageSeen
from bots.sandbox.local_discord.wire_sights import CallSeen, ToldSeen
from tests.crash.verdict import Fault, Judgement, text_fault
from tests.platforms.paper_model import answer_to
from tests.platforms.paper_sender import PaperEvent

PLACEHOLDER, STOP, GOOD = "…", "⏹", "👍"
#: A message that shows the first words of a thread's.
_STARTER = 21
#: Of a text, at each end.
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Question:
    event: PaperEvent
    #: Where it was said. A new post's own.
    channel: str
    #: The message's, or the interaction's. A thread that is made of a message has it too.
    id: str
    is_command: bool = False
    #: Of a command: whether Discord was told in time that an answer comes.
    is_acked: bool = True


@dataclass(frozen=True, slots=True)
class Seen:
    """All that there is to see in the end."""

    #: Channels, threads and DMs, by their ids.
    channels: Mapping[str, ChannelSeen]
    #: Answers to interactions could not be given in time any more.
    is_aged: bool = False
    #: The calls that sent or changed something, oldest first.
    calls: Sequence[CallSeen] = ()
    #: What went over the gateway.
    told: Sequence[ToldSeen] = ()

    def standing(self) -> Iterator[tuple[str, MessageSeen]]:
        """The bot's messages, and those among them that were whole when somebody deleted them; with their channels."""
        for channel in self.channels.values():
            for message in channel.all_messages:
                is_own = message.author_id == channel.bot_id and message.kind != _STARTER
                if is_own and (message.deleted_at is None or not is_open(message)):
                    yield channel.id, message


@dataclass(frozen=True, slots=True)
class _Reply:
    """All that was said about a question."""

    question: Question
    #: With their channels. Those that were whole when somebody deleted them, too.
    messages: Sequence[tuple[str, MessageSeen]]

    @property
    def shown(self) -> list[tuple[str, MessageSeen]]:
        return [(channel, message) for channel, message in self.messages if message.deleted_at is None]


def judged(questions: Sequence[Question], seen: Seen, words: int) -> Judgement:
    replies = [_reply(question, seen) for question in questions]
    faults = [fault for reply in replies for fault in _faults(reply, words)]
    return Judgement([*faults, *_nobodys(replies, seen)], left_over=0)


def is_open(message: MessageSeen) -> bool:
    """It is written still."""
    return message.is_loading or message.text in ("", PLACEHOLDER) or _has(message, STOP)


def _faults(reply: _Reply, words: int) -> Iterator[Fault]:
    question, event = reply.question, reply.question.event
    expected = answer_to(event.text, words)
    # whoever deletes a message may do so just when it is whole, and then it is sent again, or it is not
    texts = [_said(reply.messages), _said(reply.shown)]
    if expected not in texts and (question.is_acked or texts[0]):
        yield text_fault(event, expected, texts[0])
    for channel, message in reply.shown:
        if _has(message, STOP):
            yield Fault("broken", event.id, f"{message.id} is whole, and can still be stopped")
        is_below = not question.is_command and channel == question.channel != question.id
        if is_below and message.replies_to != question.id:
            yield Fault("broken", event.id, f"{message.id} does not point at the question")
    if reply.shown and [_has(message, GOOD) for _, message in reply.shown].count(True) != 1:
        yield Fault("broken", event.id, "there is not one place to say what one thinks of it")


def _reply(question: Question, seen: Seen) -> _Reply:
    """Where it was asked or in the thread that was made of it, what ever spoke of it; no two questions are the same."""
    return _Reply(
        question,
        [
            (channel, message)
            for channel, message in seen.standing()
            if channel in (question.channel, question.id) and speaks_of(message, question.event)
        ],
    )


def speaks_of(message: MessageSeen, event: PaperEvent) -> bool:
    about = re.compile(rf"\b{event.text}[:-]")
    return any(about.search(text) for text in message.texts)


def _nobodys(replies: Sequence[_Reply], seen: Seen) -> Iterator[Fault]:
    known = {(channel, message.id) for reply in replies for channel, message in reply.messages}
    for channel, message in seen.standing():
        if (channel, message.id) in known or message.deleted_at is not None or message.only_for:
            continue  # whoever could not be heard is told so, and nobody else
        if message.is_loading:
            if not seen.is_aged:
                yield Fault("lost", "", f"an answer was promised and never came: {message.id}")
        elif message.text in ("", PLACEHOLDER):
            yield Fault("doubled", "", f"a placeholder was left: {message.id}")
        else:
            yield Fault("doubled", "", f"nobody was answered with {[text[:_SHOWN] for text in message.texts]}")


def _has(message: MessageSeen, sign: str) -> bool:
    return any(label.startswith(sign) for label in message.labels)


def _said(messages: Sequence[tuple[str, MessageSeen]]) -> str:
    """A long answer that had to be one message has all of it in a file."""
    return " ".join(" ".join(_text(message) for _, message in messages).split())


def _text(message: MessageSeen) -> str:
    return message.attachments[0].text if message.attachments else message.text


def log_of(question: Question, seen: Seen) -> list[str]:
    where = (question.channel, question.id)
    told = [
        f"  told       {one.at:10.3f} {one.name} over {one.connection} of {one.session}{' again' * one.is_replay}"
        for one in seen.told
        if one.id == question.id
    ]
    calls = [
        f"  {call.began:10.3f} {call.operation} {call.where} → {call.status} {_answered(call)} {call.fault}"
        for call in seen.calls
        if call.where.get("channel") in where or call.operation in ("callback", "edit_response", "follow_up")
    ]
    messages = [
        f"  seen       {message.id} in {channel.id}: {one.at:10.3f} {one.content[:_SHOWN]!r} {sorted(message.labels)}"
        for channel in seen.channels.values()
        if channel.id in where
        for message in channel.all_messages
        if message.author_id == channel.bot_id
        for one in message.versions
    ]
    return told + calls + messages


def _answered(call: CallSeen) -> object:
    """The message that came of it, or why none did."""
    answer = call.answer
    return answer.get("id") or answer.get("code", "") if isinstance(answer, dict) else ""
