"""What becomes of a message, a reply or a channel after it was said: edits, deletions, feedback, a new id.

None of it waits behind the reply that it is about. The reply that is being written is interrupted first, then one
transaction changes what is stored and ends the event, and then whoever writes begins with what is stored. A crash in
between leaves the event to be taken care of again; carried out twice, each of them changes nothing more.
"""

import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from weakref import WeakKeyDictionary

from core.access import Rank
from core.attachments import with_other_words
from core.commands.command import parse
from core.desk import Desk
from core.dialogue import (
    Deletion,
    Edit,
    Feedback,
    Inbound,
    InboundMessage,
    Move,
    Opinion,
    SessionKey,
    TurnState,
)
from core.dispatcher import Holding
from core.edge import Edge
from core.errors import PlatformRefused
from core.memory.leased import WaitingMessage
from core.memory.outbox import Outbox
from core.memory.owed import STOPPED, STREAMING, Again, Ended
from core.memory.revising import Accepted, Owed
from core.memory.revision_writes import Deleted, Edited, Following, Judged, Moved, StoppedReply
from core.policy import Policy
from core.ports import Outgoing
from core.sending import Sending
from core.texts import marked

logger = logging.getLogger(__name__)

#: A word about a reply that is still being written waits for its end, and is asked again so often.
_JUDGED_AGAIN_S = 0.5
_JUDGED_TRIES = 1200

SAID_STOPPED = marked("Stopped.")
NOTHING_TO_STOP = marked("There is nothing to stop.")
NOT_YOURS_TO_STOP = marked("Only who asked can stop that, or a moderator.")


class Revisions:
    """One for each process."""

    def __init__(
        self, outbox: Outbox, policy: Policy, edges: Callable[[SessionKey], Edge], *, redraws_edited: bool
    ) -> None:
        """`redraws_edited`: an edit of the last question draws its finished reply again, not memory alone."""
        self._outbox = outbox
        self._revising = outbox.revising
        self._policy = policy
        self._edges = edges
        self._redraws_edited = redraws_edited
        self._desks: WeakKeyDictionary[Holding, Desk] = WeakKeyDictionary()

    def desk(self, holding: Holding) -> Desk:
        return self._desks.setdefault(holding, Desk())

    async def take(self, holding: Holding, event: WaitingMessage) -> None:
        """Takes care of an edit, a deletion, feedback or a move. Raises PlatformError, StorageError."""
        async with self.desk(holding).lock:
            if not await self._revising.is_open(event.id):
                return
            said = event.inbound
            if isinstance(said, Edit) and said.text:
                await self._edit(holding, event, said, said.text)
            elif isinstance(said, Edit | Deletion):
                await self._delete(holding, event, said)
            elif isinstance(said, Feedback):
                await self._hear(holding, event, said)
            elif isinstance(said, Move):
                await self._interrupt(holding)
                await self._revising.move(Moved(holding.lease, event, said))

    async def stop(self, holding: Holding, event: WaitingMessage, said: InboundMessage | Feedback) -> str:
        """Ends the reply that is being written; what is said to that, as a text's key."""
        async with self.desk(holding).lock:
            return await self._stop(holding, event, said)

    async def again(self, holding: Holding, message: WaitingMessage) -> Again | None:
        """Another reply to the question that an edit or a button is about; None where there is nothing to answer.

        Whoever calls it holds the desk's lock.
        """
        said = message.inbound
        if isinstance(said, Feedback):
            found = await self._revising.question_of_reply(said.session_key, said.message_id)
            if found is None or not self._may(said.session_key, said, found.asker):
                return None
            await self._revising.judge(Judged(holding.lease, message, said, ends=False))
        else:
            found = None if message.turn_id is None else await self._revising.question(message.turn_id)
            if found is None or not found.is_last:
                return None
        parts = found.parts if self._can_edit(said.session_key) else ()
        return Again(holding.lease, message, found.session, found.question, secrets.token_hex(10), parts=parts)

    async def follow(self, holding: Holding, messages: Iterable[WaitingMessage]) -> None:
        """What came for the old id of a channel that moved is answered where it went."""
        await self._revising.follow(Following(holding.lease, tuple(message.id for message in messages)))

    async def _edit(self, holding: Holding, event: WaitingMessage, said: Edit | Deletion, text: str) -> None:
        found = await self._revising.find(said.session_key, said.message_id)
        if found is None or (found.said is not None and found.said.text == text):
            await self._end(holding, event)
            return
        found = await self._at_rest(holding, found, said)
        await self._revising.edit(await self._edited(holding, event, found, text))

    async def _edited(self, holding: Holding, event: WaitingMessage, found: Accepted, text: str) -> Edited:
        burst, edited = dict(found.burst), None
        if found.row is not None and found.said is not None:
            edited = burst[found.row] = replace(found.said, text=text)
            text = one_turn(burst.values()) or text
            text = await self._with_files(found, text)
        change = Edited(holding.lease, event, found.row, edited, found.turn_id, text)
        if found.turn_id is None:
            return change
        if found.answering is not None:
            change = await self._while_answering(change, found.answering)
        elif self._redraws_edited and not (edited is not None and edited.is_overheard):
            question = await self._revising.question(found.turn_id)
            change = replace(change, goes_on=question is not None and question.is_last)
        return replace(change, goes_on=change.goes_on and not found.is_wanted)

    async def _with_files(self, found: Accepted, text: str) -> str:
        question = None
        if found.turn_id is not None and any(one.attachments for one in found.burst.values()):
            question = await self._revising.question(found.turn_id)
        if question is None:
            return text
        return with_other_words(question.question.text, one_turn(found.burst.values()), text)

    async def _while_answering(self, change: Edited, answering: int) -> Edited:
        """What was seen is overwritten; where that can't be, it stays as it is, and another reply follows."""
        owed = await self._revising.owed(answering)
        if owed is None:
            return change
        is_seen = bool(owed.text) and any(part.handle is not None for part in owed.parts)
        if self._can_edit(change.event.inbound.session_key) or not is_seen:
            return replace(change, restarts=answering)
        return replace(change, stops=answering, goes_on=True)

    async def _delete(self, holding: Holding, event: WaitingMessage, said: Edit | Deletion) -> None:
        found = await self._revising.find(said.session_key, said.message_id)
        if found is None:
            await self._end(holding, event)
            return
        if one_turn(one for row, one in found.burst.items() if row != found.row):
            await self._edit(holding, event, said, "")
            return
        found = await self._at_rest(holding, found, said)
        deleted = Deleted(holding.lease, event, found.row, found.turn_id)
        if found.turn_id is not None:
            await self._revising.take_out(deleted)
            await self._withdraw(holding, said, found.turn_id)
        await self._revising.forget(deleted)

    async def _withdraw(self, holding: Holding, said: Edit | Deletion, turn_id: int) -> None:
        for owed in await self._revising.needless(turn_id):
            for part in owed.parts:
                await self._withdraw_part(holding, said, owed, part.part, part.handle)

    async def _withdraw_part(
        self, holding: Holding, said: Edit | Deletion, owed: Owed, number: int, handle: str | None
    ) -> None:
        edge = self._edges(said.session_key)
        can = edge.sender.capabilities(said.session_key)
        sending = Sending(holding, can.send_timeout_s, edge.limits)
        part = Outgoing(said.session_key, said.message_id, owed.token, number, "", is_closed=True)
        try:
            if handle is None and can.read_back:
                handle = await sending.patiently(lambda: edge.sender.find(part))
            if handle is not None:
                seen = handle
                await sending.patiently(lambda: edge.sender.withdraw(seen, part))
        except PlatformRefused as refusal:
            logger.info("a reply was not withdrawn: %s", refusal, extra={"action": "withdraw"})

    async def _hear(self, holding: Holding, event: WaitingMessage, said: Feedback) -> None:
        if said.opinion is Opinion.STOP:
            await self._press_stop(holding, event, said)
            return
        written = await self._revising.owed_at(holding.lease.place)  # asked before, for it may end in between
        if not await self._revising.judge(Judged(holding.lease, event, said)):
            await self._judge_later(holding, event, said, written)

    async def _judge_later(
        self, holding: Holding, event: WaitingMessage, said: Feedback, written: tuple[Owed, Inbound] | None
    ) -> None:
        """A message of the reply that is being sent has no handle yet, or that one: it may be what is judged."""
        may_be_it = written is not None and any(part.handle in (None, said.message_id) for part in written[0].parts)
        if may_be_it and event.attempts < _JUDGED_TRIES:
            later = Ended(holding.lease, event, TurnState.WAITING, "its reply is being written", _JUDGED_AGAIN_S)
            await self._outbox.close(later)
        else:
            await self._end(holding, event, TurnState.IGNORED)

    async def _press_stop(self, holding: Holding, event: WaitingMessage, said: Feedback) -> None:
        """A button may stand below a reply that is finished long since."""
        written = await self._revising.owed_at(holding.lease.place)
        is_it = written is not None and said.message_id in {part.handle for part in written[0].parts}
        finished = await self._revising.question_of_reply(said.session_key, said.message_id)
        if said.is_withdrawn or (finished is not None and not is_it):
            await self._end(holding, event)
            return
        what = await self._stop(holding, event, said)
        if what is not SAID_STOPPED:
            await self._end(holding, event, TurnState.REFUSED if what is NOT_YOURS_TO_STOP else TurnState.IGNORED)

    async def _stop(self, holding: Holding, event: WaitingMessage, said: InboundMessage | Feedback) -> str:
        written = await self._revising.owed_at(holding.lease.place)
        if written is None or written[0].state not in (STREAMING, STOPPED):
            return NOTHING_TO_STOP
        owed, asked = written
        if not self._may(said.session_key, said, _asker(asked)):
            return NOT_YOURS_TO_STOP
        await self._interrupt(holding)
        ends = isinstance(said, Feedback)
        await self._revising.stop(StoppedReply(holding.lease, event, said.person, owed.delivery_id, ends))
        return SAID_STOPPED

    def _may(self, key: SessionKey, said: InboundMessage | Feedback, asker: str) -> bool:
        is_asker = said.person.platform_id == asker
        return is_asker or self._policy.rank(key, said.person, said.roles) >= Rank.MODERATOR

    def _can_edit(self, key: SessionKey) -> bool:
        return self._edges(key).sender.capabilities(key).edits

    async def _at_rest(self, holding: Holding, found: Accepted, said: Edit | Deletion) -> Accepted:
        """As it is when nobody writes a reply to it; the one that was being written may be finished by then."""
        if found.answering is None:
            self.desk(holding).is_stale = True
            return found
        await self._interrupt(holding)
        return await self._revising.find(said.session_key, said.message_id) or found

    async def _interrupt(self, holding: Holding) -> None:
        """Nobody writes from now on, and whoever does next looks at what is stored."""
        desk = self.desk(holding)
        desk.is_stale = True
        await desk.interrupt()

    async def _end(self, holding: Holding, event: WaitingMessage, state: TurnState = TurnState.DELIVERED) -> None:
        await self._outbox.close(Ended(holding.lease, event, state, ""))


def wants_redraw(said: Inbound) -> bool:
    """Whether an event that waits in the order of its place asks for another reply."""
    return isinstance(said, Edit | Deletion) or (isinstance(said, Feedback) and said.opinion is Opinion.REGENERATE)


def one_turn(messages: Iterable[InboundMessage]) -> str:
    """What the messages of one person say together; `//` at the start of one stands for a slash."""
    lines = [_with_quotes(message) for message in messages]
    return "\n".join(line for line in lines if line)


def _with_quotes(message: InboundMessage) -> str:
    """As people quote in writing; "" for a command."""
    said = parse(message.text)
    if not isinstance(said, str):
        return ""
    quoted = "\n".join(f"> {line}" for line in message.quotes.splitlines())
    return "\n\n".join(part for part in (quoted, said) if part)


def _asker(asked: Inbound) -> str:
    return asked.person.platform_id if isinstance(asked, InboundMessage | Feedback | Edit) else ""
