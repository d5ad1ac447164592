"""The model's reply to one question: shown while it is written, recorded when it is whole, sent to the end."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Self

from core.answering.beginning import asks_again, person_of
from core.answering.front import Front
from core.delivery import ReplyDelivery
from core.desk import Writing
from core.dialogue import Turn
from core.dispatcher import Holding
from core.generation.request import Piece, Waiting
from core.memory.leased import WaitingMessage
from core.memory.outbox import Outbox
from core.memory.owed import STOPPED, Begun, Delivery, Saying, Whole
from core.memory.sessions import Session
from core.memory.store import Memory
from core.patience import Patience
from core.responder import Responder, Streamed, Written
from core.texts import marked

#: Writes a whole reply down, with its parts.
Record = Callable[[Delivery], Awaitable[Delivery]]

_STOPPED = marked("Stopped.")
#: The model ends a reply where it was cut.
_NOTHING_TO_ADD = marked("There is nothing to add.")


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question in a session, as it was begun."""

    holding: Holding
    message: WaitingMessage
    owed: Delivery
    session: Session
    turn: Turn
    #: The reply to it that is gone on with.
    continues: Turn | None

    @classmethod
    def of(cls, holding: Holding, message: WaitingMessage, begun: Begun) -> Self:
        """Raises ValueError where the model has nothing to answer."""
        if begun.session is None or begun.question is None:
            raise ValueError("only a question in a session is answered by the model")
        return cls(holding, message, begun.delivery, begun.session, begun.question, begun.continues)


@dataclass(frozen=True, slots=True)
class Writer:
    memory: Memory
    outbox: Outbox
    responder: Responder
    front: Front
    #: Somebody who waits so long is told why.
    notice_after_s: float

    async def write(self, question: OpenQuestion, reply: ReplyDelivery, writing: Writing) -> Delivery:
        """Raises what `Responder.write` and `ReplyDelivery.finish` raise, and ReplyInterrupted."""
        session, owed = question.session, question.owed
        streamed = Streamed(owed.text, owed.token_ids, owed.seed, question.continues, owed.state == STOPPED)
        earlier = await self.memory.replies_to(question.turn.id) if asks_again(question.message) else ()
        writing.generates(partial(self.responder.stop, session.id))
        tuning = self.front.policy.manner(session.key).sampling
        events = self.responder.write(session, question.turn, person_of(question.message), earlier, streamed, tuning)
        async with (
            Patience(partial(self._tell_why, question, reply), self._still_s(question.message)) as patience,
            aclosing(events),
        ):
            async for event in events:
                writing.go_on()
                if isinstance(event, Piece):
                    if session.streaming:
                        reply.append(event.text, event.token_ids)
                elif isinstance(event, Waiting):
                    patience.heard(event)
                else:
                    return await self._finish(question, reply, event)
        raise ValueError("a reply ends with what was written")

    async def _finish(self, question: OpenQuestion, reply: ReplyDelivery, written: Written) -> Delivery:
        message, session = question.message, question.session
        if written.record is None:
            stopped = self.front.say(message, _STOPPED, session)
            return await reply.finish(stopped, saying(self.outbox, question.holding, message))
        text = written.added or self.front.say(message, _NOTHING_TO_ADD, session)
        if question.owed.footnote:
            text = f"{text}\n\n{question.owed.footnote}"
        record = written.record

        async def record_it(delivery: Delivery) -> Delivery:
            whole = Whole(question.holding.lease, message, session, question.turn, record, delivery)
            return await self.outbox.record(whole)

        return await reply.finish(text, record_it)

    def _still_s(self, message: WaitingMessage) -> float:
        """For so long the person needs no word."""
        waited_s = (datetime.now(UTC) - message.accepted_at).total_seconds()
        return max(self.notice_after_s - waited_s, 0.0)

    async def _tell_why(self, question: OpenQuestion, reply: ReplyDelivery, waiting: Waiting) -> None:
        message, session, say = question.message, question.session, self.front.say
        if waiting.loading:
            percent = int(100 * waiting.fraction)
            await reply.notice(say(message, "The model is loading ({percent} %) …", session, percent=percent))
        elif waiting.position:
            await reply.notice(say(message, "{position} before you …", session, position=waiting.position))
        else:
            await reply.remark(say(message, "I am at it …", session))


def saying(outbox: Outbox, holding: Holding, message: WaitingMessage, reason: str = "") -> Record:
    """Of a reply that needs no model."""

    async def record(delivery: Delivery) -> Delivery:
        return await outbox.say(Saying(holding.lease, message, delivery, reason))

    return record
