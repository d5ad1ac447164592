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
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from core.commands.carrying_out import Order, carry_out
from core.commands.command import Asker, Command, parse
from core.commands.commands import Commands
from core.delivery import ReplyDelivery
from core.desk import Writing
from core.dialogue import Edit, Feedback, Inbound, InboundMessage, Move, SessionKey, TurnState
from core.dispatcher import Holding
from core.doorkeeper import Decision, Verdict, answer_everybody
from core.edge import Edge, Recipient, whole_parts
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
)
from core.generation.request import Piece, Waiting
from core.memory.leases import WaitingMessage, Work
from core.memory.outbox import Outbox
from core.memory.overheard import Overheard
from core.memory.owed import (
    DELIVERED,
    FAILED,
    STOPPED,
    WHOLE,
    Beginning,
    Begun,
    Delivery,
    Ended,
    Resuming,
    Saying,
    Settled,
    Whole,
)
from core.memory.sessions import NewSession, Session
from core.memory.store import Memory
from core.patience import Patience
from core.policy import Policy
from core.responder import Responder, Streamed, Written
from core.revisions import Revisions, one_turn, wants_redraw
from core.sending import ReplyInterrupted
from core.texts import Texts, marked
from core.typing_indicator import TypingIndicator
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
    #: An edit of the last question draws its finished reply again; else it changes memory alone.
    redraws_edited: bool = True


@dataclass(frozen=True, slots=True)
class Front:
    """What is decided about a message before the model is asked."""

    policy: Policy
    commands: Commands
    voices: Voices
    texts: Texts
    #: Whether a message is answered at all, asked before it is begun.
    judge: Callable[[WaitingMessage], Awaitable[Verdict]] = answer_everybody


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
        self._revisions = Revisions(outbox, front.policy, edges, redraws_edited=limits.redraws_edited)
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
            text = self._text(message, await self._revisions.stop(holding, message, said))
            begun = Begun(Delivery(0, _token(), text=text))
        async with self._replying(holding, message, begun.delivery) as reply:
            delivery = await reply.finish(begun.delivery.text, self._saying(holding, message))
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
            ended = Ended(holding.lease, ordinary[0], TurnState.FAILED, str(refusal), pauses_place=True)
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
                typing.say(self._text(message, "My memory is away for a moment …"))
        finally:
            await typing.end()

    def _typing(self, message: WaitingMessage) -> TypingIndicator:
        key, sender = message.inbound.session_key, self._edges(message.inbound.session_key).sender
        return TypingIndicator(sender, sender.capabilities(key), key, _message_id(message))

    async def _answer(self, holding: Holding, messages: Sequence[WaitingMessage]) -> Work | None:
        message, desk = messages[0], self._revisions.desk(holding)
        async with desk.lock:
            if desk.was_changed():
                return await self._outbox.next(holding.lease)
            begun = await self._begun(holding, messages)
            if isinstance(begun, Verdict):
                return await self._leave(holding, message, begun)
        async with desk.writing() as writing, self._replying(holding, message, begun.delivery) as reply:
            writing.sends(reply)
            if begun.session is None or begun.delivery.state == WHOLE:
                delivery = await reply.finish(begun.delivery.text, self._saying(holding, message, begun.reason))
            else:
                delivery = await self._write(holding, message, begun, reply, writing)
        return await self._outbox.settle(Settled(holding.lease, message, delivery))

    async def _begun(self, holding: Holding, messages: Sequence[WaitingMessage]) -> Begun | Verdict:
        """What an earlier try has begun, or begins now; why nobody is answered."""
        message = messages[0]
        if message.state is not TurnState.WAITING:
            begun = await self._outbox.resume(Resuming(holding.lease, message))
            if begun is not None:
                return begun
        verdict = await self._front.judge(message)
        if verdict.decision in (Decision.IGNORE, Decision.REMEMBER):
            return verdict
        if verdict.decision is Decision.SAY:
            return self._said(message, verdict)
        if not wants_redraw(message.inbound):
            return await self._begin(holding, messages)
        again = await self._revisions.again(holding, message)
        if again is None:
            return Verdict(Decision.IGNORE, reason="there is nothing to answer again")
        return await self._outbox.again(again)

    async def _leave(self, holding: Holding, message: WaitingMessage, verdict: Verdict) -> Work | None:
        """Nobody is answered."""
        if verdict.decision is Decision.REMEMBER:
            new = self._new_session(message)
            return await self._outbox.overhear(Overheard(holding.lease, message, new, verdict.reason))
        return await self._outbox.end(Ended(holding.lease, message, TurnState.IGNORED, verdict.reason))

    def _said(self, message: WaitingMessage, verdict: Verdict) -> Begun:
        text = self._text(message, verdict.english, None, **verdict.values)
        return Begun(Delivery(0, _token(), ends_as=verdict.ends_as, text=text), reason=verdict.reason)

    async def _begin(self, holding: Holding, messages: Sequence[WaitingMessage]) -> Begun:
        message, said = messages[0], messages[0].inbound
        new = self._new_session(message)
        command = _command(said)
        if command is not None:
            return await self._carry_out(holding, message, new, command)
        burst = self._burst(messages)
        text = one_turn(one.inbound for one in burst if isinstance(one.inbound, InboundMessage))
        return await self._outbox.begin(Beginning(holding.lease, tuple(burst), new, text, _token()))

    def _new_session(self, message: WaitingMessage) -> NewSession:
        key, policy = message.inbound.session_key, self._front.policy
        manner = policy.manner(key)
        persona = self._front.voices.persona(manner.persona)
        expires_before = policy.expires_before(key, message.accepted_at)
        return NewSession(key, persona.name, manner.model or persona.model, expires_before=expires_before)

    def _burst(self, messages: Sequence[WaitingMessage]) -> list[WaitingMessage]:
        """What the same person said right after the first message."""
        burst = [messages[0]]
        for message in messages[1:]:
            if not _belongs_to(burst[-1], message, self._limits.burst_s):
                break
            burst.append(message)
        return burst

    async def _carry_out(self, holding: Holding, message: WaitingMessage, new: NewSession, command: Command) -> Begun:
        edge = self._edges(new.key)
        order = Order(holding.lease, message, command, self._asker(message), new, _token(), partial(whole_parts, edge))
        begun = await carry_out(self._memory, self._front.commands, order)
        self._outbox.hear(message, begun)
        return begun

    def _asker(self, message: WaitingMessage) -> Asker:
        said, policy = message.inbound, self._front.policy
        if not isinstance(said, InboundMessage | Feedback):
            raise TypeError("only a person gives commands")
        key, is_alone = said.session_key, isinstance(said, InboundMessage) and said.called.directly
        rank = policy.rank(key, said.person, said.roles)
        return Asker(said.person, rank, is_alone, policy.manner(key).language)

    async def _write(
        self, holding: Holding, message: WaitingMessage, begun: Begun, reply: ReplyDelivery, writing: Writing
    ) -> Delivery:
        """The model's reply, shown while it is written, recorded when it is whole, and sent to the end."""
        session, question = begun.session, begun.question
        if session is None or question is None:
            raise ValueError("only a question in a session is answered by the model")
        owed = begun.delivery
        streamed = Streamed(owed.text, owed.token_ids, owed.seed, begun.continues, owed.state == STOPPED)
        earlier = await self._memory.replies_to(question.id) if _is_again(message) else ()
        waited_s = (datetime.now(UTC) - message.accepted_at).total_seconds()
        still_s = max(self._limits.notice_after_s - waited_s, 0.0)
        writing.generates(partial(self._responder.stop, session.id))
        tuning = self._front.policy.manner(session.key).sampling
        events = self._responder.write(session, question, _person(message), earlier, streamed, tuning)
        async with (
            Patience(lambda why: self._tell_why(message, session, reply, why), still_s) as patience,
            aclosing(events),
        ):
            async for event in events:
                writing.go_on()
                if isinstance(event, Piece):
                    if session.streaming:
                        reply.append(event.text, event.token_ids)
                elif isinstance(event, Waiting):
                    patience.heard(event)
                elif event.record is None:
                    return await reply.finish(self._text(message, _STOPPED, session), self._saying(holding, message))
                else:
                    text = event.added or self._text(message, _NOTHING_TO_ADD, session)
                    return await reply.finish(text, self._recording(holding, message, begun, event))
        raise ValueError("a reply ends with what was written")

    async def _tell_why(
        self, message: WaitingMessage, session: Session, reply: ReplyDelivery, waiting: Waiting
    ) -> None:
        if waiting.loading:
            percent = int(100 * waiting.fraction)
            await reply.notice(self._text(message, "The model is loading ({percent} %) …", session, percent=percent))
        elif waiting.position:
            await reply.notice(self._text(message, "{position} before you …", session, position=waiting.position))

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
            owed = begun.delivery if begun else Delivery(0, _token())
            if owed.state == WHOLE:  # what it says is written down already
                return await self._outbox.end(Ended(holding.lease, message, TurnState.FAILED, str(error)))
        is_refusal = isinstance(error, QueueFull)
        owed = replace(owed, ends_as=TurnState.REFUSED if is_refusal else TurnState.FAILED)
        apology = self._text(message, _APOLOGIES.get(type(error), _APOLOGY), begun.session if begun else None)
        async with desk.writing() as writing, self._replying(holding, message, owed) as reply:
            writing.sends(reply)
            text = f"{owed.text}\n\n{apology}" if owed.text else apology
            delivery = await reply.finish(text, self._saying(holding, message, str(error)))
        return await self._outbox.settle(Settled(holding.lease, message, delivery))

    @contextlib.asynccontextmanager
    async def _replying(
        self, holding: Holding, message: WaitingMessage, owed: Delivery
    ) -> AsyncIterator[ReplyDelivery]:
        key = message.inbound.session_key
        reply = ReplyDelivery(self._edges(key), self._outbox, Recipient(key, _message_id(message), holding), owed)
        reply.typing.begin()
        try:
            yield reply
        finally:
            await reply.aclose()

    def _text(self, message: WaitingMessage, english: str, session: Session | None = None, **values: object) -> str:
        """In the language that was chosen for the dialogue, or the place's."""
        chosen = session.language if session is not None else ""
        language = chosen or self._front.policy.manner(message.inbound.session_key).language
        return self._front.texts.say(language, english, **values)


_Record = Callable[[Delivery], Awaitable[Delivery]]

_STOPPED = marked("Stopped.")
#: The model ends a reply where it was cut.
_NOTHING_TO_ADD = marked("There is nothing to add.")
_APOLOGY = marked("I could not answer that. Please try again later.")
_APOLOGIES: dict[type[BanterError], str] = {
    QueueFull: marked("Too many people are asking at once. Please ask again in a little while."),
    DeadlineExceeded: marked("That took too long, so I gave up. Please ask again."),
    PromptTooLong: marked("That is longer than I can read."),
}
#: Another try would end in the same way.
_HOPELESS = (QueueFull, DeadlineExceeded, PromptTooLong, ModelError)


def _token() -> str:
    """20 characters that say nothing."""
    return secrets.token_hex(10)


def _command(said: Inbound) -> Command | None:
    """What is asked for with a slash, or by a button below a reply."""
    if isinstance(said, InboundMessage):
        command = parse(said.text)
        return command if isinstance(command, Command) else None
    return Command("continue")


def _person(message: WaitingMessage) -> str:
    said = message.inbound
    return said.person.platform_id if isinstance(said, InboundMessage | Feedback | Edit) else ""


def _message_id(message: WaitingMessage) -> str:
    return "" if isinstance(message.inbound, Move) else message.inbound.message_id


def _is_again(message: WaitingMessage) -> bool:
    said = message.inbound
    return isinstance(said, Feedback) or (isinstance(said, InboundMessage) and _command(said) is not None)


def _belongs_to(last: WaitingMessage, message: WaitingMessage, burst_s: float) -> bool:
    """Whether it goes on with what the last one began."""
    before, said = last.inbound, message.inbound
    if not (isinstance(before, InboundMessage) and isinstance(said, InboundMessage)):
        return False
    gap_s = (message.accepted_at - last.accepted_at).total_seconds()
    goes_on = not said.is_overheard and not isinstance(parse(said.text), Command)
    return goes_on and abs(gap_s) < burst_s and said.person == before.person
