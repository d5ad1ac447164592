"""Arrivals into the core. One that it can't take blocks no other."""

import logging
from collections.abc import Sequence

from core.errors import StorageError
from core.ports import Accept, Arrival

logger = logging.getLogger(__name__)


async def hand_over(accept: Accept, arrivals: Sequence[Arrival]) -> None:
    """Raises StorageError, and then nothing is to be acked.

    Any other error is a fault of this program's. Slack would bring the same again: so each goes in by itself, and the
    one that is to blame as a dead letter.
    """
    try:
        await accept(arrivals)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, what comes after it must not wait for it
        logger.error("what came in was not taken: %s", type(error).__name__, extra={"action": "receive"})
        for arrival in arrivals:
            await _hand_over_alone(accept, arrival)


async def _hand_over_alone(accept: Accept, arrival: Arrival) -> None:
    try:
        await accept([arrival])
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        await accept([Arrival(arrival.raw, None, f"it was not taken: {type(error).__name__}")])
