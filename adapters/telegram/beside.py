"""What a receiver does beside listening.

Presses of buttons are answered, and the core is told of groups whose new id was met when something was sent to them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.telegram.account import TelegramAccount
from adapters.telegram.line import Line
from adapters.telegram.moves import Moves
from adapters.telegram.places import chat_key
from adapters.telegram.presses import Presses
from core.dialogue import Move
from core.errors import StorageError
from core.ports import Accept, Arrival

logger = logging.getLogger(__name__)

_AGAIN_S = 5.0


@asynccontextmanager
async def beside(line: Line, account: TelegramAccount, moves: Moves, accept: Accept) -> AsyncIterator[Presses]:
    presses = Presses(line)
    telling = asyncio.create_task(_tell_moves(account, moves, accept))
    try:
        yield presses
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await presses.aclose()


async def _tell_moves(account: TelegramAccount, moves: Moves, accept: Accept) -> None:
    """One that gets lost is met again with the next thing that is sent there."""
    while True:
        old, new = await moves.next()
        move = Move(chat_key(int(old), account), new, keeps_message_ids=False)
        raw = f'{{"migrate_from_chat_id": {int(old)}, "migrate_to_chat_id": {int(new)}}}'
        await _tell(accept, Arrival(raw, move))


async def _tell(accept: Accept, arrival: Arrival) -> None:
    while True:
        try:
            return await accept([arrival])
        except StorageError as error:
            logger.info("a group's new id is not known yet: %s", error, extra={"action": "move"})
        await asyncio.sleep(_AGAIN_S)
