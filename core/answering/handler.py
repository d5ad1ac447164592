"""The walk from a leased message to a delivered reply.

A message is refused, carried out as a command, or answered by the model; each of these ends in one reply that is
recorded before it is sent. Whatever fails on the way leaves the message where the next try, or another process, goes
on.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from core.answering.beginning import Beginner, message_id_of, new_token, person_of
from core.answering.front import Front
from core.answering.limits import AnswerLimits
from core.answering.titles import name_thread
from core.answering.writing import OpenQuestion, Writer, saying
from core.delivery import ReplyDelivery
from core.dialogue import InboundMessage, SessionKey, TurnState
from core.dispatcher import Holding
from core.doorkeeper import Decision, Verdict
from core.edge import Edge, Recipient
from core.errors import (
    BanterError,
    ChannelMoved,
    DatabaseAway,
    DeadlineExceeded,
    LeaseLost,
    ModelError,
    PlatformError,
    PlatformRefused,
    PromptTooLong,
    QueueFull,
    RequestFailed,
    TooLate,
)
from core.memory.leased import WaitingMessage, Work
from core.memory.outbox import Outbox
from core.memory.overheard import Overheard
from core.memory.owed import DELIVERED, FAILED, WHOLE, Begun, Delivery, Ended, Resuming, Settled
from core.memory.store import Memory
from core.responder import Responder
from core.revisions import Revisions
from core.sending import ReplyInterrupted
from core.texts import marked
from core.typing_indicator import TypingIndicator

logger = logging.getLogger(__name__)


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
        self._front = front
        self._edges = edges
        self._limits = limits
        self._revisions = Revisions(outbox, front.policy, edges, redraws_edited=limits.redraws_edited)
        self._beginner = Beginner(memory, outbox, front, edges, self._revisions, limits)
        self._writer = Writer(memory, outbox, responder, front, limits.notice_after_s)
        #: Urgent events that are being taken care of, by their row.
        self._urgent: dict[int, asyncio.Event] = {}

    async def serve(self, holding: Holding, work: Work) -> None:
        """See `Handler`."""
        left: Work | None = work
        while left is not None:
            message = left.messages[0]
            try:
                left = await self._serve_one(holding, left)
            except DatabaseAway as error:
                logger.warning("the database is away: %s", error, extra={"action": "answer"})
                left = await self._when_the_database_is_back(holding, message)

    async def interrupt(self, holding: Holding, message: WaitingMessage) -> None:
        """See `Handler`."""
        if (under_way := self._urgent.get(message.id)) is not None:
            await under_way.wait()
            return
        done = self._urgent[message.id] = asyncio.Event()
        try:
            await self._take_care(holding, message)
        except PlatformRefused as refusal:
            await self._outbox.close(Ended(holding.lease, message, TurnState.FAILED, str(refusal)))
        except PlatformError as error:
            await self._outbox.close(self._another_try(holding, message, error, self._limits.sending_attempts))
        finally:
            del self._urgent[message.id]
            done.set()

    async def _take_care(self, holding: Holding, message: WaitingMessage) -> None:
        if isinstance(message.inbound, InboundMessage):  # /stop: nothing else that is said is urgent
            await self._stop(holding, message, message.inbound)
        else:
            await self._revisions.take(holding, message)

    async def _stop(self, holding: Holding, message: WaitingMessage, said: InboundMessage) -> None:
        begun = await self._outbox.resume(Resuming(holding.lease, message))
        if begun is not None and begun.delivery.state in (DELIVERED, FAILED):
            return
        if begun is None:
            text = self._front.say(message, await self._revisions.stop(holding, message, said))
            begun = Begun(Delivery(0, new_token(), text=text))
        async with self._replying(self._recipient(holding, message), begun.delivery) as reply:
            delivery = await reply.finish(begun.delivery.text, saying(self._outbox, holding, message))
        await self._outbox.settle_beside(Settled(holding.lease, message, delivery))

    async def _serve_one(self, holding: Holding, work: Work) -> Work | None:
        """Takes care of what stands first, and tells what stands next."""
        for message in work.messages:
            if message.urgent:
                await self.interrupt(holding, message)
        ordinary = [message for message in work.messages if not message.urgent]
        if not ordinary:
            return await self._outbox.next(holding.lease)
        try:
            return await self._answer_or_apologise(holding, ordinary)
        except ReplyInterrupted:
            return await self._outbox.next(holding.lease)
        except PlatformRefused as refusal:
            pauses_place = not isinstance(refusal, TooLate)
            ended = Ended(holding.lease, ordinary[0], TurnState.FAILED, str(refusal), pauses_place=pauses_place)
            return await self._outbox.end(ended)
        except PlatformError as error:
            return await self._outbox.end(self._another_try(holding, ordinary[0], error, self._limits.sending_attempts))

    async def _answer_or_apologise(self, holding: Holding, messages: Sequence[WaitingMessage]) -> Work | None:
        try:
            return await self._answer(holding, messages)
        except (LeaseLost, DatabaseAway, PlatformError, ReplyInterrupted):
            raise
        except ChannelMoved:
            await self._revisions.follow(holding, messages)
            return await self._outbox.next(holding.lease)
        except BanterError as error:
            return await self._answer_later(holding, messages[0], error)
        except Exception as error:  # one message's trouble: it is tried again, and ends in an apology
            logger.exception("a message could not be answered", extra={"action": "answer"})
            fault = RequestFailed(f"the program failed ({type(error).__name__}); its log tells more")
            return await self._answer_later(holding, messages[0], fault)

    async def _when_the_database_is_back(self, holding: Holding, message: WaitingMessage) -> Work | None:
        """Nothing can be written down meanwhile, so nothing is sent but that somebody is at it."""
        typing = self._typing(message)
        typing.begin()
        try:
            while True:
                await asyncio.sleep(self._limits.first_pause_s)
                with contextlib.suppress(DatabaseAway):
                    return await self._outbox.next(holding.lease)
                typing.say(self._front.say(message, "My memory is away for a moment …"))
        finally:
            await typing.end()

    def _typing(self, message: WaitingMessage) -> TypingIndicator:
        key, sender = message.inbound.session_key, self._edges(message.inbound.session_key).sender
        return TypingIndicator(sender, sender.capabilities(key), key, message_id_of(message))

    async def _answer(self, holding: Holding, messages: Sequence[WaitingMessage]) -> Work | None:
        message, desk = messages[0], self._revisions.desk(holding)
        async with desk.lock:
            if desk.was_changed():
                return await self._outbox.next(holding.lease)
            begun = await self._beginner.begin(holding, messages)
            if isinstance(begun, Verdict):
                return await self._leave(holding, message, begun)
        is_drawn = begun.question is not None and (begun.delivery.state != WHOLE or begun.delivery.turn_id is not None)
        to = self._recipient(holding, message, is_drawn=is_drawn)
        async with desk.writing() as writing, self._replying(to, begun.delivery) as reply:
            writing.sends(reply)
            if begun.session is None or begun.delivery.state == WHOLE:
                delivery = await reply.finish(begun.delivery.text, saying(self._outbox, holding, message, begun.reason))
            else:
                delivery = await self._writer.write(OpenQuestion.of(holding, message, begun), reply, writing)
            if begun.session is not None:
                await name_thread(self._memory, self._edges(to.key).sender, begun.session, message.inbound)
        return await self._outbox.settle(Settled(holding.lease, message, delivery))

    async def _leave(self, holding: Holding, message: WaitingMessage, verdict: Verdict) -> Work | None:
        """Nobody is answered."""
        if verdict.decision is Decision.REMEMBER:
            new = self._front.new_session(message)
            return await self._outbox.overhear(Overheard(holding.lease, message, new, verdict.reason))
        return await self._outbox.end(Ended(holding.lease, message, TurnState.IGNORED, verdict.reason))

    async def _answer_later(self, holding: Holding, message: WaitingMessage, error: BanterError) -> Work | None:
        """Another try after a pause; in the end, an apology."""
        ended = self._another_try(holding, message, error, self._limits.attempts)
        if ended.state is TurnState.WAITING and not isinstance(error, _HOPELESS):
            return await self._outbox.end(ended)
        return await self._apologise(holding, message, error)

    def _another_try(self, holding: Holding, message: WaitingMessage, error: BanterError, limit: int) -> Ended:
        attempt = message.attempts + 1
        logger.warning("a message was not answered: %s", error, extra={"action": "answer", "attempt": attempt})
        if attempt >= limit:
            return Ended(holding.lease, message, TurnState.FAILED, str(error))
        pause_s = min(self._limits.first_pause_s * 2**message.attempts, self._limits.longest_pause_s)
        return Ended(holding.lease, message, TurnState.WAITING, str(error), pause_s=pause_s)

    async def _apologise(self, holding: Holding, message: WaitingMessage, error: BanterError) -> Work | None:
        """What was seen of a reply stays, and the apology stands below it."""
        desk = self._revisions.desk(holding)
        async with desk.lock:
            if desk.was_changed():
                return await self._outbox.next(holding.lease)
            begun = await self._outbox.resume(Resuming(holding.lease, message))
            owed = begun.delivery if begun else Delivery(0, new_token())
            if owed.state == WHOLE:  # what it says is written down already
                return await self._outbox.end(Ended(holding.lease, message, TurnState.FAILED, str(error)))
        is_refusal = isinstance(error, QueueFull)
        owed = replace(owed, ends_as=TurnState.REFUSED if is_refusal else TurnState.FAILED)
        apology = self._front.say(message, _APOLOGIES.get(type(error), _APOLOGY), begun.session if begun else None)
        to = self._recipient(holding, message)
        async with desk.writing() as writing, self._replying(to, owed) as reply:
            writing.sends(reply)
            text = f"{owed.text}\n\n{apology}" if owed.text else apology
            delivery = await reply.finish(text, saying(self._outbox, holding, message, str(error)))
        return await self._outbox.settle(Settled(holding.lease, message, delivery))

    @staticmethod
    def _recipient(holding: Holding, message: WaitingMessage, *, is_drawn: bool = False) -> Recipient:
        key, asker = message.inbound.session_key, person_of(message)
        return Recipient(key, message_id_of(message), holding, is_drawn, asker)

    @contextlib.asynccontextmanager
    async def _replying(self, to: Recipient, owed: Delivery) -> AsyncIterator[ReplyDelivery]:
        reply = ReplyDelivery(self._edges(to.key), self._outbox, to, owed)
        reply.typing.begin()
        try:
            yield reply
        finally:
            await reply.aclose()


_APOLOGY = marked("I could not answer that. Please try again later.")
_APOLOGIES: dict[type[BanterError], str] = {
    QueueFull: marked("Too many people are asking at once. Please ask again in a little while."),
    DeadlineExceeded: marked("That took too long, so I gave up. Please ask again."),
    PromptTooLong: marked("That is longer than I can read."),
}
#: Another try would end in the same way.
_HOPELESS = (QueueFull, DeadlineExceeded, PromptTooLong, ModelError)
