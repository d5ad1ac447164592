"""A command's effect and the answer to it, in one transaction under the lease of its place.

A crash leaves both or neither, and whoever comes after it finds the answer where the effect was: two messages are never
taken back for one /undo.
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.commands.command import Asker, Command
from core.commands.commands import Commands
from core.memory.leased import Lease, WaitingMessage
from core.memory.owed import WHOLE, Again, Begun, Delivery, Saying, SentPart
from core.memory.sessions import NewSession
from core.memory.store import Memory


@dataclass(frozen=True, slots=True)
class Order:
    """A command that waits at a leased place."""

    lease: Lease
    message: WaitingMessage
    command: Command
    asker: Asker
    #: Of the place, where no dialogue is going on.
    session: NewSession
    #: Of the reply.
    token: str
    #: How the platform cuts an answer.
    cut: Callable[[str], tuple[SentPart, ...]]


async def carry_out(memory: Memory, commands: Commands, order: Order) -> Begun:
    """What an earlier try did is not done again. Raises StorageError; LeaseLost where another process has the place."""
    async with memory.transaction() as steps:
        if begun := await steps.begun(order.lease, order.message):
            return begun
        session = await steps.open_session(order.session)
        reply = await commands.run(steps, session, order.command, order.asker)
        if reply.answer_again is not None:
            again = (reply.session, reply.answer_again, order.token, reply.continues)
            return await steps.again(Again(order.lease, order.message, *again))
        said = Delivery(0, order.token, WHOLE, text=reply.text, parts=order.cut(reply.text))
        return Begun(await steps.say(Saying(order.lease, order.message, said)))
