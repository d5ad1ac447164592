"""The walk from a leased message to a delivered reply.

A message is refused, carried out as a command, or answered by the model; each of these ends in one reply that is
recorded before it is sent. Whatever fails on the way leaves the message where the next try, or another process, goes
on.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core.commands import Command, Commands, parse
from core.delivery import Edge, Recipient, ReplyDelivery
from core.dialogue import Feedback, InboundMessage, Move, Opinion, SessionKey, TurnState
from core.dispatcher import Holding
from core.errors import (
    BanterError,
    DatabaseAway,
    DeadlineExceeded,
    LeaseLost,
    ModelError,
    PlatformError,
    PlatformRefused,
    PromptTooLong,
    QueueFull,
)
from core.generation.request import Piece, Waiting
from core.memory.leases import WaitingMessage, Work
from core.memory.outbox import Outbox
from core.memory.owed import WHOLE, Again, Beginning, Begun, Delivery, Ended, Resuming, Saying, Settled, Whole
from core.memory.sessions import NewSession
from core.memory.store import Memory
from core.policy import Policy
from core.responder import Responder, Streamed, Written
from core.texts import Texts
from core.voice import Voices

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    #: A message whose reply could not be made so often ends as `failed`, with an apology.
    attempts: int = 4
    #: The same for a platform that does not take a reply that was made.
    sending_attempts: int = 20
    first_pause_s: float = 2.0
    longest_pause_s: float = 300.0
    #: Somebody who waits so long is told why.
    notice_after_s: float = 5.0
    #: What one person says within so long is answered as one turn; 0 answers each.
    burst_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Front:
    """What is decided about a message before the model is asked."""

    policy: Policy
    commands: Commands
    voices: Voices
    texts: Texts


class Answering:
    """A dispatcher's `Handler`."""

    def __init__(
        self,
        memory: Memory,
        outbox: Outbox,
        responder: Responder,
        front: Front,
        edges: Callable[[SessionKey], Edge],
        limits: AnswerLimits,
    ) -> None:
        self._memory = memory
        self._outbox = outbox
        self._responder = responder
        self._front = front
        self._edges = edges
        self._limits = limits
        #: Place → the session whose reply is written there.
        self._writing: dict[str, int] = {}

    async def serve(self, holding: Holding, work: Work) -> None:
        """See `Handler`."""
        left: Work | None = work
        while left is not None:
            left = await self._serve_one(holding, left)

    async def interrupt(self, holding: Holding, message: WaitingMessage) -> None:
        """See `Handler`."""
        session_id = self._writing.get(holding.lease.place)
        said = message.inbound
        if isinstance(said, InboundMessage):  # /stop: nothing else that is said is urgent
            stopped = session_id is not None and await self._responder.stop(session_id)
            await self._say(holding, message, "Stopped." if stopped else "There is nothing to stop.")
            return
        if isinstance(said, Feedback) and said.opinion is Opinion.STOP and session_id is not None:
            await self._responder.stop(session_id)
        await self._outbox.close(Ended(holding.lease, message, TurnState.DELIVERED, ""))

    async def _serve_one(self, holding: Holding, work: Work) -> Work | None:
        """Takes care of what stands first, and tells what stands next."""
        for message in work.messages:
            if message.urgent:
                await self.interrupt(holding, message)
        ordinary = [message for message in work.messages if not message.urgent]
        if not ordinary:
            return await self._outbox.next(holding.lease)
        try:
            return await self._answer(holding, ordinary)
        except LeaseLost:
            raise
        except DatabaseAway as error:
            logger.warning("the database is away: %s", error, extra={"action": "answer"})
            return await self._when_the_database_is_back(holding)
        except PlatformRefused as refusal:
            ended = Ended(holding.lease, ordinary[0], TurnState.FAILED, str(refusal), pauses_place=True)
            return await self._outbox.end(ended)
        except BanterError as error:
            return await self._answer_later(holding, ordinary[0], error)

    async def _when_the_database_is_back(self, holding: Holding) -> Work | None:
        while True:
            await asyncio.sleep(self._limits.first_pause_s)
            with contextlib.suppress(DatabaseAway):
                return await self._outbox.next(holding.lease)

    async def _answer(self, holding: Holding, messages: Sequence[WaitingMessage]) -> Work | None:
        message = messages[0]
        begun = None
        if message.state is not TurnState.WAITING:
            begun = await self._outbox.resume(Resuming(holding.lease, message))
        if begun is None:
            begun = await self._begin(holding, messages)
        async with self._replying(holding, message, begun.delivery) as reply:
            if begun.session is None or begun.delivery.state == WHOLE:
                delivery = await reply.finish(begun.delivery.text, self._saying(holding, message))
            else:
                delivery = await self._write(holding, message, begun, reply)
        return await self._outbox.settle(Settled(holding.lease, message, delivery))

    async def _begin(self, holding: Holding, messages: Sequence[WaitingMessage]) -> Begun:
        message, said = messages[0], messages[0].inbound
        new = self._new_session(said.session_key)
        command = parse(said.text) if isinstance(said, InboundMessage) else Command("regenerate")
        if isinstance(command, Command):
            return await self._carry_out(holding, message, new, command)
        burst = self._burst(messages)
        text = "\n".join(one.inbound.text for one in burst if isinstance(one.inbound, InboundMessage))
        return await self._outbox.begin(Beginning(holding.lease, tuple(burst), new, text, _token()))

    def _new_session(self, key: SessionKey) -> NewSession:
        persona = self._front.voices.persona(self._front.policy.manner(key).persona)
        return NewSession(key, persona.name, persona.model)

    def _burst(self, messages: Sequence[WaitingMessage]) -> list[WaitingMessage]:
        """What the same person said right after the first message."""
        burst = [messages[0]]
        for message in messages[1:]:
            if not _belongs_to(burst[-1], message, self._limits.burst_s):
                break
            burst.append(message)
        return burst

    async def _carry_out(self, holding: Holding, message: WaitingMessage, new: NewSession, command: Command) -> Begun:
        session = await self._memory.open_session(new.key, new.persona, new.model)
        result = await self._front.commands.run(session, command)
        if result.answer_again is None:
            return Begun(Delivery(0, _token(), text=result.text))
        again = Again(holding.lease, message, result.session, result.answer_again, _token())
        return await self._outbox.again(again)

    async def _write(self, holding: Holding, message: WaitingMessage, begun: Begun, reply: ReplyDelivery) -> Delivery:
        """The model's reply, shown while it is written, recorded when it is whole, and sent to the end."""
        session, question = begun.session, begun.question
        if session is None or question is None:
            raise ValueError("only a question in a session is answered by the model")
        owed = begun.delivery
        streamed = Streamed(owed.text, owed.token_ids, owed.seed)
        earlier = await self._memory.replies_to(question.id) if _is_again(message) else ()
        self._writing[holding.lease.place] = session.id
        try:
            events = self._responder.write(session, question, _person(message), earlier, streamed)
            async with contextlib.aclosing(events):
                async for event in events:
                    if isinstance(event, Piece):
                        reply.append(event.text, event.token_ids)
                    elif isinstance(event, Waiting):
                        await self._tell_why(message, reply, event)
                    elif event.record is None:
                        return await reply.finish(self._text(message, "Stopped."), self._saying(holding, message))
                    else:
                        return await reply.finish(event.record.text, self._recording(holding, message, begun, event))
        finally:
            del self._writing[holding.lease.place]
        raise ValueError("a reply ends with what was written")

    async def _tell_why(self, message: WaitingMessage, reply: ReplyDelivery, waiting: Waiting) -> None:
        if (datetime.now(UTC) - message.accepted_at).total_seconds() < self._limits.notice_after_s:
            return
        if waiting.loading:
            percent = int(100 * waiting.fraction)
            await reply.notice(self._text(message, "The model is loading ({percent} %) …", percent=percent))
        elif waiting.position:
            await reply.notice(self._text(message, "{position} before you …", position=waiting.position))

    def _recording(self, holding: Holding, message: WaitingMessage, begun: Begun, written: Written) -> "_Record":
        async def record(delivery: Delivery) -> Delivery:
            session, question = begun.session, begun.question
            if session is None or question is None or written.record is None:
                raise ValueError("only a reply to a question in a session is recorded")
            whole = Whole(holding.lease, message, session, question, written.record, delivery)
            return await self._outbox.record(whole)

        return record

    def _saying(self, holding: Holding, message: WaitingMessage, reason: str = "") -> "_Record":
        async def record(delivery: Delivery) -> Delivery:
            return await self._outbox.say(Saying(holding.lease, message, delivery, reason))

        return record

    async def _say(
        self, holding: Holding, message: WaitingMessage, english: str, ends_as: TurnState = TurnState.DELIVERED
    ) -> Delivery:
        """Answers without the model."""
        owed = Delivery(0, _token(), ends_as=ends_as)
        async with self._replying(holding, message, owed) as reply:
            return await reply.finish(self._text(message, english), self._saying(holding, message))

    async def _answer_later(self, holding: Holding, message: WaitingMessage, error: BanterError) -> Work | None:
        """Another try after a pause; in the end, an apology."""
        made = isinstance(error, PlatformError)
        limit = self._limits.sending_attempts if made else self._limits.attempts
        logger.warning(
            "a message was not answered: %s", error, extra={"action": "answer", "attempt": message.attempts + 1}
        )
        if message.attempts + 1 < limit and not isinstance(error, _HOPELESS):
            pause_s = min(self._limits.first_pause_s * 2**message.attempts, self._limits.longest_pause_s)
            ended = Ended(holding.lease, message, TurnState.WAITING, str(error), pause_s=pause_s)
        elif made:
            ended = Ended(holding.lease, message, TurnState.FAILED, str(error))
        else:
            return await self._apologise(holding, message, error)
        return await self._outbox.end(ended)

    async def _apologise(self, holding: Holding, message: WaitingMessage, error: BanterError) -> Work | None:
        """What was seen of a reply stays, and the apology stands below it."""
        begun = await self._outbox.resume(Resuming(holding.lease, message))
        owed = begun.delivery if begun else Delivery(0, _token())
        is_refusal = isinstance(error, QueueFull)
        owed = replace(owed, ends_as=TurnState.REFUSED if is_refusal else TurnState.FAILED)
        apology = self._text(message, _APOLOGIES.get(type(error), _APOLOGY))
        async with self._replying(holding, message, owed) as reply:
            text = f"{owed.text}\n\n{apology}" if owed.text else apology
            delivery = await reply.finish(text, self._saying(holding, message, str(error)))
        return await self._outbox.settle(Settled(holding.lease, message, delivery))

    @contextlib.asynccontextmanager
    async def _replying(
        self, holding: Holding, message: WaitingMessage, owed: Delivery
    ) -> AsyncIterator[ReplyDelivery]:
        inbound = message.inbound
        key, message_id = inbound.session_key, "" if isinstance(inbound, Move) else inbound.message_id
        reply = ReplyDelivery(self._edges(key), self._outbox, Recipient(key, message_id, holding), owed)
        reply.typing.begin()
        try:
            yield reply
        finally:
            await reply.aclose()

    def _text(self, message: WaitingMessage, english: str, **values: object) -> str:
        language = self._front.policy.manner(message.inbound.session_key).language
        return self._front.texts.say(language, english, **values)


_Record = Callable[[Delivery], Awaitable[Delivery]]

_APOLOGY = "I could not answer that. Please try again later."
_APOLOGIES: dict[type[BanterError], str] = {
    QueueFull: "Too many people are asking at once. Please ask again in a little while.",
    DeadlineExceeded: "That took too long, so I gave up. Please ask again.",
    PromptTooLong: "That is longer than I can read.",
}
#: Another try would end in the same way.
_HOPELESS = (QueueFull, DeadlineExceeded, PromptTooLong, ModelError)


def _token() -> str:
    """20 characters that say nothing."""
    return secrets.token_hex(10)


def _person(message: WaitingMessage) -> str:
    said = message.inbound
    return said.person.platform_id if isinstance(said, InboundMessage | Feedback) else ""


def _is_again(message: WaitingMessage) -> bool:
    said = message.inbound
    return not isinstance(said, InboundMessage) or isinstance(parse(said.text), Command)


def _belongs_to(last: WaitingMessage, message: WaitingMessage, burst_s: float) -> bool:
    """Whether it goes on with what the last one began."""
    before, said = last.inbound, message.inbound
    if not (isinstance(before, InboundMessage) and isinstance(said, InboundMessage)):
        return False
    gap_s = (message.accepted_at - last.accepted_at).total_seconds()
    return gap_s < burst_s and said.person == before.person and not isinstance(parse(said.text), Command)
