"""How many calls of a bot Discord takes in a second, whatever they are for.

No header tells it before it is too much: fifty, as it is documented. Some are left to a second process with the same
bot; and what is merely shown leaves room for what is sent.
"""

import asyncio
from collections import deque

#: A little longer than Discord's second, whose beginning is not known here.
_SECOND_S = 1.05
_MOST = 45
_MOST_WITH_SHOWN = 36


class Flow:
    """Of one bot in one process."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        #: When the last calls began, by the loop's clock.
        self._begun: deque[float] = deque(maxlen=_MOST)
        self._line = asyncio.Lock()

    def shown_in_s(self) -> float:
        """How long until something may be shown; 0: now."""
        return self._left_s(_MOST_WITH_SHOWN)

    async def take(self) -> None:
        """Waits in line, a second at most for each forty-five that came before."""
        async with self._line:
            left_s = self._left_s(_MOST)
            if left_s > 0:
                await asyncio.sleep(left_s)
            self._begun.append(self._loop.time())

    def _left_s(self, most: int) -> float:
        if len(self._begun) < most:
            return 0.0
        return max(0.0, self._begun[-most] + _SECOND_S - self._loop.time())
