"""How far the messages of each channel were taken in."""

from collections.abc import Mapping
from typing import Protocol


class Marks(Protocol):
    async def known(self) -> Mapping[str, int]:
        """Channel → the newest message that was taken in, or looked at and left. Raises StorageError."""
        ...
