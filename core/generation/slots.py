"""Which slot holds whose tokens: those of running replies first and dense, those kept for a next turn behind them.

It knows token ids and numbers of slots; keys and values are moved by a `KeyValues`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import count, takewhile
from typing import Protocol

#: A shorter prefix is prefilled as fast as it is copied.
PREFIX_MIN_TOKENS = 8


class KeyValues(Protocol):
    """The keys and values of all slots. Lengths are in tokens, from the slot's first position."""

    def exchange(self, one: int, other: int, lengths: tuple[int, int]) -> None:
        """What slot `one` holds (lengths[0]) and what slot `other` holds (lengths[1]) change places."""
        ...

    def copy(self, source: int, target: int, length: int) -> None: ...

    def wipe(self, slot: int, start: int) -> None:
        """Nothing that was computed is left in it from this position on, so that a NaN does not outlive its request."""
        ...

    def save_prefix(self, token_ids: tuple[int, ...], slot: int, adapter: str) -> None:
        """Keeps the slot's first len(token_ids) positions for other slots. Saved before: nothing happens."""
        ...

    def load_prefix(self, token_ids: tuple[int, ...], slot: int, adapter: str) -> bool:
        """False where this prefix, as the adapter read it, is not kept (any more)."""
        ...

    def forget_prefixes(self, adapter: str) -> None: ...


@dataclass(eq=False, slots=True)
class Slot:
    """Room for one sequence of tokens. Its number changes when slots change places."""

    number: int
    #: The tokens whose keys and values it holds.
    token_ids: list[int] = field(default_factory=list)
    #: Who may go on from them; "" is nobody.
    session: str = ""
    #: Grows with every use, so that the least recently used is known.
    used_at: int = 0

    def clear(self) -> None:
        self.token_ids = []
        self.session = ""


class SlotTable:
    """Slots 0 to `active` − 1 are running."""

    def __init__(self, slots: int, key_values: KeyValues) -> None:
        self.active = 0
        self._slots = [Slot(number) for number in range(slots)]
        self._key_values = key_values
        self._ticks = count(1)

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def free(self) -> int:
        """Slots that can be acquired."""
        return len(self._slots) - self.active

    @property
    def retained(self) -> int:
        return sum(1 for slot in self._slots[self.active :] if slot.token_ids)

    def acquire(self, session: str, token_ids: Sequence[int], persona_tokens: int = 0, adapter: str = "") -> Slot:
        """A slot that holds as much of the tokens' beginning as is known, but never all of them.

        The caller has made sure that one is free.
        """
        target = self._slots[self.active]
        kept = self._kept(session)
        if kept is None:
            self._vacate(target)
        else:
            self._exchange(kept, target)
        slot = self._slots[self.active]
        self.active += 1
        del slot.token_ids[shared_length(slot.token_ids, token_ids[:-1]) :]
        slot.session = session
        self._load_persona(slot, token_ids[: min(persona_tokens, len(token_ids) - 1)], adapter)
        return slot

    def extend(self, slot: Slot, token_ids: Sequence[int], persona_tokens: int = 0, adapter: str = "") -> None:
        """The slot holds these too, from now on."""
        before = len(slot.token_ids)
        slot.token_ids.extend(token_ids)
        if before < persona_tokens <= len(slot.token_ids) and persona_tokens >= PREFIX_MIN_TOKENS:
            self._key_values.save_prefix(tuple(slot.token_ids[:persona_tokens]), slot.number, adapter)

    def fork(self, slot: Slot, heir: Slot) -> None:
        """Both hold the same."""
        self._key_values.copy(slot.number, heir.number, len(slot.token_ids))
        heir.token_ids = list(slot.token_ids)

    def release(self, slot: Slot, session: str) -> None:
        """Keeps what it holds for the session's next turn; for "" nothing is kept."""
        older = self._kept(session)
        if older is not None:
            older.clear()
        self.active -= 1
        self._exchange(slot, self._slots[self.active])
        slot.session = session
        slot.used_at = next(self._ticks)
        if not session:
            slot.clear()

    def wipe(self, slot: Slot, start: int) -> None:
        """What was left in it from this position on may be no numbers."""
        self._key_values.wipe(slot.number, start)

    def condemn(self, slot: Slot, adapter: str = "") -> None:
        """What it holds may be no numbers, and so may a prefix that was saved from it."""
        self._key_values.wipe(slot.number, 0)
        self._key_values.forget_prefixes(adapter)

    def hand_on(self, kept: str, session: str) -> None:
        """What is kept under one name is from now on another's; "" is nobody's."""
        slot = self._kept(kept)
        older = self._kept(session)
        if slot is None:
            return
        if older is not None:
            older.clear()
        slot.session = session
        if not session:
            slot.clear()

    def forget(self, adapter: str) -> None:
        """Nothing that it has read is kept: when it is loaded again it may be another one."""
        for slot in self._slots[self.active :]:
            if slot.session.endswith(f"\0{adapter}"):
                slot.clear()
        self._key_values.forget_prefixes(adapter)

    def forget_sessions(self, sessions: Collection[str]) -> int:
        """Nothing is kept for these, whichever adapter read it; none is all of them. How many slots that were.

        What a request that waits has read stays while it waits.
        """
        kept = [slot for slot in self._slots[self.active :] if slot.session and not slot.session.startswith("\0")]
        left = [slot for slot in kept if not sessions or slot.session.partition("\0")[0] in sessions]
        for slot in left:
            slot.clear()
        return len(left)

    def _kept(self, session: str) -> Slot | None:
        waiting = self._slots[self.active :]
        return next((slot for slot in waiting if session and slot.token_ids and slot.session == session), None)

    def _vacate(self, target: Slot) -> None:
        """The least recently used slot is emptied, and what the target holds goes there."""
        if not target.token_ids:
            return
        victim = min(self._slots[self.active :], key=lambda slot: (bool(slot.token_ids), slot.used_at))
        victim.clear()
        self._exchange(victim, target)

    def _exchange(self, one: Slot, other: Slot) -> None:
        if one is other:
            return
        lengths = (len(one.token_ids), len(other.token_ids))
        if any(lengths):
            self._key_values.exchange(one.number, other.number, lengths)
        one.number, other.number = other.number, one.number
        self._slots[one.number], self._slots[other.number] = one, other

    def _load_persona(self, slot: Slot, persona_ids: Sequence[int], adapter: str) -> None:
        if len(persona_ids) < PREFIX_MIN_TOKENS or len(persona_ids) <= len(slot.token_ids):
            return
        if self._key_values.load_prefix(tuple(persona_ids), slot.number, adapter):
            slot.token_ids = list(persona_ids)


def shared_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
