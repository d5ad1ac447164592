"""Arrivals that were drawn by hypothesis, put together anew: a hundred thousand of them take seconds, not hours."""

import random
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, seed, settings

from core.dialogue import Deletion, Edit, Feedback, InboundMessage
from core.ports import Arrival
from tests.fuzz.inputs import Batch, batches

#: So many batches are drawn.
_BATCHES = 120


def drawn(number: int) -> list[Batch]:
    """`number` is the seed."""
    found: list[Batch] = []

    @seed(number)
    @settings(
        max_examples=_BATCHES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(batches(20))
    def keep(batch: Batch) -> None:
        found.append(batch)

    keep()
    return found


class Mutator:
    def __init__(self, pool: Sequence[Batch], chance: random.Random) -> None:
        self._arrivals = [arrival for arrivals, _ in pool for arrival in arrivals]
        self._cursors = [cursor for _, cursor in pool]
        self._chance = chance
        self._texts = [
            arrival.inbound.text for arrival in self._arrivals if isinstance(arrival.inbound, InboundMessage | Edit)
        ]

    def batch(self, size: int) -> Batch:
        return [self._arrival() for _ in range(size)], self._chance.choice(self._cursors)

    def _arrival(self) -> Arrival:
        chance = self._chance
        arrival, other = chance.choice(self._arrivals), chance.choice(self._arrivals)
        inbound, from_other = arrival.inbound, other.inbound
        if inbound is not None and from_other is not None and chance.random() < 0.3:
            inbound = replace(inbound, session_key=from_other.session_key)
        if isinstance(inbound, InboundMessage | Edit) and chance.random() < 0.7:
            inbound = replace(inbound, text=self._spliced())
        if isinstance(inbound, InboundMessage | Edit | Feedback) and chance.random() < 0.3:
            inbound = replace(inbound, person=replace(inbound.person, name=self._spliced()))
        if isinstance(inbound, Edit | Feedback | Deletion) and isinstance(from_other, Edit | Feedback | Deletion):
            inbound = replace(inbound, message_id=from_other.message_id)
        return replace(arrival, inbound=inbound, raw=other.raw if chance.random() < 0.3 else arrival.raw)

    def _spliced(self) -> str:
        """The beginning of one text and the end of another, or one with some of its characters gone or changed."""
        one, two = self._chance.choice(self._texts), self._chance.choice(self._texts)
        cut = self._chance.randint(0, len(one))
        match self._chance.randrange(3):
            case 0:
                return one[:cut] + two[self._chance.randint(0, len(two)) :]
            case 1:
                return one[:cut] + one[cut + self._chance.randint(0, 3) :]
            case _:
                return one[:cut] + chr(self._chance.choice((0, 9, 39, 92, 0x202E, 0xD800, 0x1F600, 126))) + one[cut:]
