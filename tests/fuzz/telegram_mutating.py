"""Recorded updates of Telegram's, spoilt: what hypothesis draws is put where something else should be."""

import copy
import json
import random
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

Json = dict[str, object] | list[object] | str | float | bool | None
_Path = list[str | int]

_VALUES = 400
#: Each is too much, too little or something else for somebody: numbers, ids, texts, dates, lists.
_HOSTILE: tuple[Json, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1 << 31,
    1 << 63,
    -(1 << 70),
    10**19,
    1.5,
    float("inf"),
    float("nan"),
    "",
    "\x00",
    "\ud800",
    "\u202eabc",
    "0",
    "private",
    "x" * 9000,
    "🏳️‍🌈" * 200,
    [],
    {},
    [[]],
    [None],
    {"id": {}},
    [{"type": "mention", "offset": -3, "length": 1 << 40}],
    [{"type": "bot_command", "offset": 0, "length": 4}],
)
_MOST_CHANGES = 4
#: So many of a hundred are no JSON any more.
_BROKEN = 2


def drawn_values(number: int) -> list[Json]:
    """`number` is the seed."""
    found: list[Json] = []
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30)
    values = st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )

    @seed(number)
    @settings(
        max_examples=_VALUES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(values)
    def keep(value: Json) -> None:
        found.append(value)

    keep()
    return found


class Mutator:
    def __init__(self, recorded: Sequence[str], values: Sequence[Json], chance: random.Random) -> None:
        self._recorded = [json.loads(one) for one in recorded]
        self._values = [*values, *_HOSTILE * 4]
        self._chance = chance

    def update(self, number: int) -> bytes:
        """Its id is as Telegram would give it; nothing else is."""
        update = copy.deepcopy(self._chance.choice(self._recorded))
        del update["update_id"]
        for _ in range(self._chance.randint(1, _MOST_CHANGES)):
            if update:
                self._spoil(update)
        text = json.dumps({"update_id": number} | update | {"update_id": number})
        if self._chance.randrange(100) < _BROKEN:
            return self._broken(text, number)
        return text.encode("utf-8", "surrogatepass")

    def _spoil(self, update: dict[str, object]) -> None:
        *way, last = self._chance.choice(_paths(update))
        holder: Any = update  # JSON of any shape
        for step in way:
            holder = holder[step]
        match self._chance.randrange(6):
            case 0:
                del holder[last]
            case 1:
                holder[last] = self._elsewhere()
            case 2 if isinstance(holder, dict):
                holder[self._a_name()] = self._elsewhere()
            case 3:
                holder[last] = [copy.deepcopy(holder[last])] * self._chance.randint(1, 20)
            case _:
                holder[last] = copy.deepcopy(self._chance.choice(self._values))

    def _elsewhere(self) -> object:
        """A part of another update."""
        found: Any = self._chance.choice(self._recorded)
        for step in self._chance.choice(_paths(found)):
            found = found[step]
        return copy.deepcopy(found)

    def _a_name(self) -> str:
        return str(self._chance.choice(_paths(self._chance.choice(self._recorded)))[-1])

    def _broken(self, text: str, number: int) -> bytes:
        head = f'{{"update_id": {number}, "message": '.encode()
        match self._chance.randrange(4):
            case 0:
                return head + text[: self._chance.randrange(len(text))].encode("utf-8", "surrogatepass")
            case 1:
                return head + b"[" * 150_000 + b"]" * 150_000 + b"}"
            case 2:
                return head + bytes(self._chance.randrange(256) for _ in range(200)) + b"}"
            case _:
                return head + b"9" * 9000 + b"}"


def _paths(value: object) -> list[_Path]:
    """To everything in it."""
    found: list[_Path] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        found.append([name])
        found += [[name, *rest] for rest in _paths(inner)]
    return found
