"""Long polls: what is sent to the bot is asked for, kept, and only then confirmed by asking for what follows.

Telegram keeps an update for a day, and gives it out until an offset behind it is asked for. So nothing is lost when
this process ends at any point: what was not committed was not confirmed, and comes again; what was committed and not
confirmed comes again as well, and is known as a copy. For the same reason nothing needs to be read at the start: a
first call without an offset confirms nothing, and gives what is left. The offset is committed with the updates all the
same.

The updates of an answer are taken apart before any of them is parsed. An answer that can't be taken apart is asked for
again with fewer updates, until the one that spoils it stands alone: it is kept as a dead letter, and passed.

A listener that begins ends the long poll of another one, which is told so by 409. Telegram refuses polls while there is
a webhook: it is taken away first. How many are asked for, and of which kinds, goes with every poll.
"""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from adapters.handing_over import hand_over
from adapters.telegram.beside import beside
from adapters.telegram.line import Address, Line, open_line
from adapters.telegram.moves import Moves
from adapters.telegram.presses import Presses
from adapters.telegram.trouble import Pauses, Trouble
from adapters.telegram.updates import KINDS, Answer, Updates, read_answer, read_broken_answer
from core.dialogue import Platform
from core.errors import PlatformAway
from core.ports import Accept, Cursor

#: Telegram gives no more at once.
_MOST = 100
#: How much longer than a poll its answer may take.
_GRACE_S = 15.0
OFFSET = "offset"


@dataclass(frozen=True, slots=True)
class PollingLimits:
    #: Telegram answers earlier only where there is something.
    poll_s: int = 50
    pauses: Pauses = field(default_factory=Pauses)


class Polling:
    """Implements `Receiver`."""

    def __init__(
        self,
        address: Address,
        updates: Updates,
        moves: Moves,
        limits: PollingLimits = PollingLimits(),
    ) -> None:
        self._address = address
        self._updates = updates
        self._moves = moves
        self._poll_s = limits.poll_s
        self._trouble = Trouble(limits.pauses)
        #: None where nothing is to be confirmed yet.
        self._offset: int | None = None
        #: So many are asked for at once: fewer where one spoils the answers that it is in, until it is found.
        self._most = _MOST

    async def run(self, accept: Accept) -> None:
        """Until it is cancelled. Raises SettingsError where the token is wrong."""
        async with (
            open_line(self._address) as line,
            beside(line, self._updates.account, self._moves, accept) as presses,
        ):
            while not await self._trouble.through(partial(line.ask, "deleteWebhook", {}, _GRACE_S)):
                pass
            while True:
                await self._trouble.through(partial(self._poll, line, accept, presses))

    async def _poll(self, line: Line, accept: Accept, presses: Presses) -> None:
        # the first one after some trouble is answered at once, so that its end is known
        poll_s = 0 if self._trouble.is_on else self._poll_s
        words: dict[str, object] = {"limit": self._most, "timeout": poll_s, "allowed_updates": KINDS}
        if self._offset is not None:
            words["offset"] = self._offset
        answer = self._taken_apart(await line.ask("getUpdates", words, poll_s + _GRACE_S))
        if answer is None:
            return
        if answer.updates:
            await self._take(answer, accept, presses)
        else:
            self._offset = None  # what was before it is confirmed now; after a week of silence ids begin elsewhere

    def _taken_apart(self, body: bytes) -> Answer | None:
        """None where fewer are to be asked for."""
        try:
            answer = read_answer(body)
        except ValueError:
            if self._most > 1:
                self._most //= 2
                return None
            answer = self._broken(body)
        self._most = min(2 * self._most, _MOST)
        return answer

    def _broken(self, body: bytes) -> Answer:
        try:
            return read_broken_answer(body)
        except ValueError:
            raise PlatformAway("what came instead of Telegram's answer can't be read") from None

    async def _take(self, answer: Answer, accept: Accept, presses: Presses) -> None:
        """Committed together with the offset that confirms them."""
        if answer.next_offset is None:
            raise PlatformAway("what came from Telegram has no ids")
        understood = []
        for update in answer.updates:
            understood.append(self._updates.understand(update))
            await asyncio.sleep(0)  # a hundred of them take a while, and others want their turn
        arrivals = [arrival for one in understood for arrival in one.arrivals]
        cursor = Cursor(Platform.TELEGRAM, self._updates.account.id, OFFSET, answer.next_offset)
        await hand_over(accept, arrivals, cursor)
        self._offset = answer.next_offset
        presses.answer(one.query_id for one in understood if one.query_id)
