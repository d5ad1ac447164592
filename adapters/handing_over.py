"""Arrivals into the core, together. One that it can't take blocks no other."""

import logging
from collections.abc import Sequence

from core.errors import StorageError
from core.ports import Accept, Arrival, Cursor

logger = logging.getLogger(__name__)


async def hand_over(accept: Accept, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
    """With the cursor behind them. Raises StorageError, and then nothing is to be acked.

    Any other error is a fault of this program's. It would come again with the same arrivals for ever: so each goes in
    by itself, the one that is to blame as a dead letter, and the cursor last.
    """
    try:
        await accept(arrivals, cursor)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, what comes after it must not wait for it
        logger.error("what came in was not taken: %s", type(error).__name__, extra={"action": "receive"})
        for arrival in arrivals:
            await _hand_over_alone(accept, arrival)
        if cursor is not None:
            await accept([], cursor)


async def _hand_over_alone(accept: Accept, arrival: Arrival) -> None:
    try:
        await accept([arrival])
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        await accept([Arrival(arrival.raw, None, f"it was not taken: {type(error).__name__}")])
