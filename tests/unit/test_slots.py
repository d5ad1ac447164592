"""What slots hold is what they say they hold, whoever comes and goes."""

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from core.generation.slots import PREFIX_MIN_TOKENS, Slot, SlotTable, shared_length
from tests.unit.token_slots import TokenSlots

POSITIONS = 64
PERSONA = tuple(range(100, 100 + PREFIX_MIN_TOKENS))


class House:
    """A table, and the fake whose contents it directs."""

    def __init__(self, slots: int = 3) -> None:
        self.key_values = TokenSlots(slots, POSITIONS)
        self.table = SlotTable(slots, self.key_values)

    def enter(self, session: str, token_ids: Sequence[int], persona_tokens: int = 0) -> tuple[Slot, int]:
        """A slot that has read the tokens; how many of them it had not to read."""
        slot = self.table.acquire(session, token_ids, persona_tokens)
        known = len(slot.token_ids)
        assert self.key_values.held(slot) == list(token_ids[:known])
        self.read(slot, token_ids[known:], persona_tokens)
        return slot, known

    def read(self, slot: Slot, token_ids: Sequence[int], persona_tokens: int = 0) -> None:
        self.key_values.write(slot, token_ids)
        self.table.extend(slot, token_ids, persona_tokens)

    def visit(self, session: str, token_ids: Sequence[int], persona_tokens: int = 0) -> int:
        """A whole turn; how many tokens had not to be read."""
        slot, known = self.enter(session, token_ids, persona_tokens)
        self.table.release(slot, session)
        return known


def test_the_same_session_goes_on_from_what_it_read() -> None:
    house = House()
    house.visit("a", [1, 2, 3])

    assert house.visit("a", [1, 2, 3, 4]) == 3


def test_the_last_token_is_always_read_again_since_its_logits_are_wanted() -> None:
    house = House()
    house.visit("a", [1, 2, 3])

    assert house.visit("a", [1, 2, 3]) == 2


def test_only_what_comes_after_the_first_difference_is_read_again() -> None:
    house = House()
    house.visit("a", [1, 2, 3, 4, 5])

    assert house.visit("a", [1, 2, 9, 4, 5]) == 2


def test_another_session_never_goes_on_from_it() -> None:
    house = House()
    house.visit("a", [1, 2, 3])

    assert house.visit("b", [1, 2, 3, 4]) == 0
    assert house.visit("", [1, 2, 3, 4]) == 0


def test_nothing_is_kept_for_nobody() -> None:
    house = House()
    house.visit("", [1, 2, 3])

    assert house.visit("", [1, 2, 3, 4]) == 0
    assert house.table.retained == 0


def test_a_session_keeps_one_slot() -> None:
    house = House()
    one, _ = house.enter("a", [1, 2, 3])
    other, _ = house.enter("a", [1, 2, 3, 4, 5])
    house.table.release(one, "a")
    house.table.release(other, "a")

    assert house.table.retained == 1
    assert house.visit("a", [1, 2, 3, 4, 5, 6]) == 5


def test_the_least_recently_used_session_is_evicted() -> None:
    house = House(slots=3)
    for session in ("a", "b", "c", "a"):
        house.visit(session, [1, 2, 3])
    house.visit("new", [7, 7, 7])

    assert house.visit("a", [1, 2, 3, 4]) == 3
    assert house.visit("c", [1, 2, 3, 4]) == 3
    assert house.visit("b", [1, 2, 3, 4]) == 0


def test_an_empty_slot_is_taken_before_a_session_is_evicted() -> None:
    house = House(slots=2)
    house.visit("a", [1, 2, 3])
    house.visit("", [4, 5])
    house.visit("", [6, 7])

    assert house.visit("a", [1, 2, 3, 4]) == 3


def test_a_persona_is_read_once_for_all_sessions() -> None:
    house = House()
    counted = [house.visit(session, [*PERSONA, 1, number], len(PERSONA)) for number, session in enumerate("abcde")]

    assert counted == [0] + [len(PERSONA)] * 4
    assert house.key_values.saved == [PERSONA]


def test_a_persona_is_kept_as_soon_as_its_last_token_is_read() -> None:
    house = House()
    slot = house.table.acquire("a", [*PERSONA, 1, 2], len(PERSONA))
    house.read(slot, PERSONA[:5], len(PERSONA))
    assert house.key_values.saved == []

    house.read(slot, [*PERSONA[5:], 1], len(PERSONA))
    assert house.key_values.saved == [PERSONA]


def test_a_prefix_too_short_to_be_worth_a_copy_is_not_kept() -> None:
    house = House()
    house.visit("a", [1, 2, 3, 4], persona_tokens=3)

    assert house.key_values.saved == []


def test_what_a_session_has_read_itself_is_not_replaced_by_its_persona() -> None:
    house = House()
    house.visit("a", [*PERSONA, 1, 2, 3], len(PERSONA))

    assert house.visit("a", [*PERSONA, 1, 2, 3, 4], len(PERSONA)) == len(PERSONA) + 3
    assert house.key_values.loaded == []


def test_a_condemned_slot_leaves_nothing_behind() -> None:
    house = House(slots=1)
    slot, _ = house.enter("a", [*PERSONA, 1], len(PERSONA))
    house.table.condemn(slot)
    house.table.release(slot, "")

    assert house.key_values.wiped == [0]
    assert set(house.key_values.rows[0]) == {-1}
    assert house.visit("b", [*PERSONA, 2], len(PERSONA)) == 0


def test_shared_beginnings_are_counted() -> None:
    assert shared_length([1, 2, 3], [1, 2, 4]) == 2
    assert shared_length([1, 2], [1, 2, 3]) == 2
    assert shared_length([], [1]) == 0


TOKENS = st.lists(st.integers(0, 2), min_size=1, max_size=12)
SESSIONS = st.sampled_from(["", "a", "b", "c"])


class Visitors(RuleBasedStateMachine):
    """Requests come, read, fork and go in any order."""

    running = Bundle("running")

    def __init__(self) -> None:
        super().__init__()
        self.house = House(slots=4)
        self.table = self.house.table
        self.in_use: list[Slot] = []

    @precondition(lambda self: self.table.free)
    @rule(target=running, session=SESSIONS, token_ids=TOKENS, persona=st.booleans())
    def acquire(self, session: str, token_ids: list[int], persona: bool) -> Slot:
        known = {tuple(slot.token_ids) for slot in self.table._slots if session and slot.session == session}
        ids, persona_tokens = ([*PERSONA, *token_ids], len(PERSONA)) if persona else (token_ids, 0)
        slot, reused = self.house.enter(session, ids, persona_tokens)
        own = max((shared_length(ids[:-1], before) for before in known), default=0)
        assert reused <= max(own, persona_tokens)
        self.in_use.append(slot)
        return slot

    @rule(slot=running, token_ids=TOKENS)
    def read(self, slot: Slot, token_ids: list[int]) -> None:
        if len(slot.token_ids) + len(token_ids) <= POSITIONS:
            self.house.read(slot, token_ids)

    @rule(slot=running, heir=running)
    def fork(self, slot: Slot, heir: Slot) -> None:
        if slot is not heir:
            self.table.fork(slot, heir)

    @rule(slot=consumes(running), session=SESSIONS, broken=st.booleans())
    def release(self, slot: Slot, session: str, broken: bool) -> None:
        if broken:
            self.table.condemn(slot)
        self.table.release(slot, "" if broken else session)
        self.in_use.remove(slot)

    @invariant()
    def every_slot_holds_its_tokens(self) -> None:
        assert all(self.house.key_values.held(slot) == slot.token_ids for slot in self.table._slots)

    @invariant()
    def running_slots_come_first(self) -> None:
        assert sorted(slot.number for slot in self.in_use) == list(range(self.table.active))
        assert [slot.number for slot in self.table._slots] == list(range(len(self.table)))

    @invariant()
    def a_session_waits_in_one_slot(self) -> None:
        waiting = [slot.session for slot in self.table._slots[self.table.active :] if slot.token_ids]
        assert len(waiting) == len(set(waiting))
        assert "" not in waiting


Visitors.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None, derandomize=True)
TestVisitors = Visitors.TestCase
