"""From a message whose turn it is to the reply that is owed to it: what an earlier try has begun, or begins now."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from core.answering.front import Front
from core.answering.limits import AnswerLimits
from core.attachments import ReadFiles, read_files, with_files
from core.commands.carrying_out import Order, carry_out
from core.commands.command import Asker, Command, parse
from core.dialogue import Edit, Feedback, Inbound, InboundMessage, Move, SessionKey, TurnState
from core.dispatcher import Holding
from core.doorkeeper import Decision, Verdict
from core.edge import Edge, whole_parts
from core.memory.leased import WaitingMessage
from core.memory.outbox import Outbox
from core.memory.owed import WHOLE, Beginning, Begun, Delivery, Resuming
from core.memory.store import Memory
from core.revisions import Revisions, one_turn, wants_redraw
from core.texts import marked

#: A file that could not be had so often is one that was not read.
_TRIES_TO_READ = 2

_UNREAD = marked("I did not read {names}: I can read text files of up to {kib} KiB.")


@dataclass(frozen=True, slots=True)
class Beginner:
    memory: Memory
    outbox: Outbox
    front: Front
    edges: Callable[[SessionKey], Edge]
    revisions: Revisions
    limits: AnswerLimits

    async def begin(self, holding: Holding, messages: Sequence[WaitingMessage]) -> Begun | Verdict:
        """What is owed to the first message, and to those after it that belong to it; or why nobody is answered."""
        message = messages[0]
        if message.state is not TurnState.WAITING:
            begun = await self.outbox.resume(Resuming(holding.lease, message))
            if begun is not None:
                return begun
        verdict = await self.front.judge(message)
        if verdict.decision in (Decision.IGNORE, Decision.REMEMBER):
            return verdict
        if verdict.decision is Decision.SAY:
            text = self.front.say(message, verdict.english, None, **verdict.values)
            return Begun(Delivery(0, new_token(), ends_as=verdict.ends_as, text=text), reason=verdict.reason)
        if not wants_redraw(message.inbound):
            return await self._answer(holding, messages)
        again = await self.revisions.again(holding, message)
        if again is None:
            return Verdict(Decision.IGNORE, reason="there is nothing to answer again")
        return await self.outbox.again(again)

    async def _answer(self, holding: Holding, messages: Sequence[WaitingMessage]) -> Begun:
        message = messages[0]
        command = command_in(message.inbound)
        if command is not None:
            return await self._carry_out(holding, message, command)
        burst = self._burst(messages)
        said = [one.inbound for one in burst if isinstance(one.inbound, InboundMessage)]
        files = await self._read_files(message, said)
        text = one_turn(said)
        owed = Delivery(0, new_token(), footnote=self._footnote(message, files))
        if files.unread and not text and not files.text:
            owed = replace(owed, state=WHOLE, text=owed.footnote, footnote="")
        turn = with_files(text, files) or " ".join(f"[{name}]" for name in files.unread)
        return await self.outbox.begin(
            Beginning(holding.lease, tuple(burst), self.front.new_session(message), turn, owed)
        )

    async def _read_files(self, message: WaitingMessage, said: Sequence[InboundMessage]) -> ReadFiles:
        """Raises PlatformError where another try may help."""
        files = [file for one in said for file in one.attachments]
        key = message.inbound.session_key
        gives_up = message.attempts >= _TRIES_TO_READ
        sender = self.edges(key).sender
        return await read_files(sender, key, files, self.limits.attachments, gives_up=gives_up)

    def _footnote(self, message: WaitingMessage, files: ReadFiles) -> str:
        if not files.unread:
            return ""
        kib = self.limits.attachments.size_bytes // 1024
        return self.front.say(
            message, _UNREAD, names=", ".join(f"`{name}`" for name in dict.fromkeys(files.unread)), kib=kib
        )

    async def _carry_out(self, holding: Holding, message: WaitingMessage, command: Command) -> Begun:
        new = self.front.new_session(message)
        cut = partial(whole_parts, self.edges(new.key), new.key)
        order = Order(holding.lease, message, command, self._asker(message), new, new_token(), cut)
        begun = await carry_out(self.memory, self.front.commands, order)
        self.outbox.hear(message, begun)
        return begun

    def _asker(self, message: WaitingMessage) -> Asker:
        said, policy = message.inbound, self.front.policy
        if not isinstance(said, InboundMessage | Feedback):
            raise TypeError("only a person gives commands")
        key, is_alone = said.session_key, isinstance(said, InboundMessage) and said.called.directly
        rank = policy.rank(key, said.person, said.roles)
        return Asker(said.person, rank, is_alone, policy.manner(key).language)

    def _burst(self, messages: Sequence[WaitingMessage]) -> list[WaitingMessage]:
        """What the same person said right after the first message."""
        burst = [messages[0]]
        for message in messages[1:]:
            if not _belongs_to(burst[-1], message, self.limits.burst_s):
                break
            burst.append(message)
        return burst


def new_token() -> str:
    """20 characters that say nothing."""
    return secrets.token_hex(10)


def command_in(said: Inbound) -> Command | None:
    """What is asked for with a slash, or by a button below a reply."""
    if isinstance(said, InboundMessage):
        command = parse(said.text)
        return command if isinstance(command, Command) else None
    return Command("continue")


def person_of(message: WaitingMessage) -> str:
    """The platform's id; "" where nobody asked."""
    said = message.inbound
    return said.person.platform_id if isinstance(said, InboundMessage | Feedback | Edit) else ""


def message_id_of(message: WaitingMessage) -> str:
    """What a reply refers to; "" where there is nothing."""
    said = message.inbound
    if isinstance(said, Move) or (isinstance(said, InboundMessage) and said.is_left_behind):
        return ""
    return said.message_id


def asks_again(message: WaitingMessage) -> bool:
    """Whether a question may have replies already."""
    said = message.inbound
    return isinstance(said, Feedback) or (isinstance(said, InboundMessage) and command_in(said) is not None)


def _belongs_to(last: WaitingMessage, message: WaitingMessage, burst_s: float) -> bool:
    """Whether it goes on with what the last one began."""
    before, said = last.inbound, message.inbound
    if not (isinstance(before, InboundMessage) and isinstance(said, InboundMessage)):
        return False
    if said.is_late or before.is_late or said.called.by_command or before.called.by_command:
        return False  # a platform's own command is answered in a place of its own
    if said.album and said.album == before.album:
        return True
    gap_s = (message.accepted_at - last.accepted_at).total_seconds()
    goes_on = not said.is_overheard and not isinstance(parse(said.text), Command)
    return goes_on and abs(gap_s) < burst_s and said.person == before.person
