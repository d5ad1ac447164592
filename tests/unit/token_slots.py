"""Slots whose "keys and values" are the token ids themselves, so that a test sees what is where."""

from collections.abc import Sequence

from core.generation.scheduler import Chunk
from core.generation.slots import Slot

NOTHING = -1


class TokenSlots:
    """See `KeyValues`."""

    def __init__(self, slots: int, positions: int) -> None:
        self.rows = [[NOTHING] * positions for _ in range(slots)]
        #: By adapter and token ids.
        self.prefixes: dict[tuple[str, tuple[int, ...]], list[int]] = {}
        self.saved: list[tuple[int, ...]] = []
        self.loaded: list[tuple[int, ...]] = []
        self.wiped: list[int] = []

    def held(self, slot: Slot) -> list[int]:
        return self.rows[slot.number][: len(slot.token_ids)]

    def write(self, slot: Slot, token_ids: Sequence[int]) -> None:
        """As a forward does, before the table hears of it."""
        start = len(slot.token_ids)
        self.rows[slot.number][start : start + len(token_ids)] = token_ids

    def read(self, chunks: Sequence[Chunk]) -> None:
        """As a forward of these chunks does."""
        for chunk in chunks:
            self.rows[chunk.slot.number][chunk.start : chunk.start + len(chunk.token_ids)] = chunk.token_ids

    def exchange(self, one: int, other: int, lengths: tuple[int, int]) -> None:
        here, there = self.rows[one][: lengths[0]], self.rows[other][: lengths[1]]
        self.rows[one][: lengths[1]], self.rows[other][: lengths[0]] = there, here

    def copy(self, source: int, target: int, length: int) -> None:
        self.rows[target][:length] = self.rows[source][:length]

    def wipe(self, slot: int, start: int) -> None:
        self.wiped.append(slot)
        self.rows[slot][start:] = [NOTHING] * len(self.rows[slot][start:])

    def save_prefix(self, token_ids: tuple[int, ...], slot: int, adapter: str) -> None:
        if (adapter, token_ids) not in self.prefixes:
            self.saved.append(token_ids)
            self.prefixes[adapter, token_ids] = self.rows[slot][: len(token_ids)]

    def load_prefix(self, token_ids: tuple[int, ...], slot: int, adapter: str) -> bool:
        kept = self.prefixes.get((adapter, token_ids))
        if kept is None:
            return False
        self.loaded.append(token_ids)
        self.rows[slot][: len(kept)] = kept
        return True

    def forget_prefixes(self, adapter: str) -> None:
        self.prefixes = {key: kept for key, kept in self.prefixes.items() if key[0] != adapter}
