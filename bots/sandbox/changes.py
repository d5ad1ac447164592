"""Whether something happened since one looked."""

import asyncio


class Changes:
    """Of one chat, or of everything."""

    def __init__(self) -> None:
        #: Grows with everything that happens.
        self.version = 0
        self._happened = asyncio.Event()

    def happen(self) -> None:
        self.version += 1
        self._happened.set()
        self._happened = asyncio.Event()

    async def since(self, version: int, timeout_s: float) -> int:
        """The version, as soon as it is newer; or the same one when the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.version <= version:
                    await self._happened.wait()
        except TimeoutError:
            pass
        return self.version
